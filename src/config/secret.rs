//! References to secrets. The files name where a secret lies and never hold it; it is read when it is needed and never
//! shown.

use std::borrow::Cow;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use secrecy::SecretString;

use super::declare::{Table, read_table, table, table_schema};
use super::reader::{At, Field, Node, Notes, Value};
use super::values::{CredentialName, WholePath};

/// A secret longer than this is a mistake: a wrong file.
const SECRET_MAX: u64 = 16 * 1024;

/// Where a secret lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// A file of this name in systemd's credentials directory.
    Credential(String),
    /// A file that only its owner can read.
    File(PathBuf),
}

/// Why a secret could not be had; the texts name the place, never the secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The daemon was started without credentials.
    #[error(
        "there is no credentials directory for the credential `{name}`; name it in the unit with LoadCredential={name}:PATH, or use {{ file = \"PATH\" }}"
    )]
    NoDirectory {
        /// The credential.
        name: String,
    },
    /// Others may read the file.
    #[error("others can read {path} (mode {mode:04o}); chmod 600 {path}", path = .path.display())]
    Loose {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is not there.
    #[error("{path} does not exist; put the secret into it with mode 600", path = .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file holds nothing, or nothing but a line end.
    #[error("{path} is empty; put the secret into it", path = .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file holds something that is no secret.
    #[error("{path} holds no secret: {why}; it should be one line of text", path = .path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The system refused.
    #[error("{path} cannot be read: {why}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
}

impl SecretRef {
    /// Reads the secret; one line end behind it is left out. `credentials_dir` is what systemd told in
    /// `CREDENTIALS_DIRECTORY`; systemd guards the modes there.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn read(&self, credentials_dir: Option<&Path>) -> Result<SecretString, SecretError> {
        match self {
            Self::Credential(name) => {
                let dir = credentials_dir.ok_or_else(|| SecretError::NoDirectory { name: name.clone() })?;
                let path = dir.join(name);
                content(open(&path)?, &path)
            }
            Self::File(path) => content(open_guarded(path)?, path),
        }
    }

    /// Whether the file could be read as far as its presence and modes tell; credentials are there only while the
    /// daemon runs.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn probe(&self) -> Result<(), SecretError> {
        match self {
            Self::Credential(_) => Ok(()),
            Self::File(path) => open_guarded(path).map(drop),
        }
    }
}

fn open(path: &Path) -> Result<File, SecretError> {
    // Without NONBLOCK a named pipe would hold us until somebody writes to it.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    File::options().read(true).custom_flags(flags).open(path).map_err(|why| match why.kind() {
        ErrorKind::NotFound => SecretError::Missing { path: path.to_owned() },
        _ => SecretError::Io { path: path.to_owned(), why },
    })
}

/// Opens a file and looks at the modes of what was opened, so that it cannot be exchanged in between.
fn open_guarded(path: &Path) -> Result<File, SecretError> {
    let file = open(path)?;
    let about = file.metadata().map_err(|why| SecretError::Io { path: path.to_owned(), why })?;
    if !about.is_file() {
        return Err(SecretError::Unfit { path: path.to_owned(), why: "it is not a file" });
    }
    match about.permissions().mode() & 0o7777 {
        mode if mode & 0o177 == 0 => Ok(file),
        mode => Err(SecretError::Loose { path: path.to_owned(), mode }),
    }
}

fn content(file: File, path: &Path) -> Result<SecretString, SecretError> {
    let unfit = |why| SecretError::Unfit { path: path.to_owned(), why };
    let mut text = String::new();
    file.take(SECRET_MAX + 1).read_to_string(&mut text).map_err(|why| match why.kind() {
        ErrorKind::InvalidData => unfit("it is not text"),
        _ => SecretError::Io { path: path.to_owned(), why },
    })?;
    if text.len() as u64 > SECRET_MAX {
        return Err(unfit("it is longer than 16 KiB"));
    }
    let secret = text.strip_suffix('\n').map_or(text.as_str(), |rest| rest.strip_suffix('\r').unwrap_or(rest));
    if secret.trim().is_empty() {
        return Err(SecretError::Empty { path: path.to_owned() });
    }
    if secret.chars().any(char::is_control) {
        return Err(unfit("it has several lines or control characters"));
    }
    Ok(SecretString::from(secret))
}

table! {
    /// Where a secret lies; one of the two keys.
    struct SecretTable {
        /// A file of this name in systemd's credentials directory.
        may credential: CredentialName,
        /// A file of mode 600 at most.
        may file: WholePath,
    }
}

impl JsonSchema for SecretRef {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = table_schema::<SecretTable>(generator);
        schema.insert("minProperties".to_owned(), 1.into());
        schema.insert("maxProperties".to_owned(), 1.into());
        schema
    }
}

impl Value for SecretRef {
    fn read(node: &Node<'_>, notes: &mut Notes<'_>) -> Option<Self> {
        for (key, entry) in node.as_table().unwrap_or_default() {
            if !SecretTable::names().contains(&key) {
                notes.hide(&entry.span);
            }
        }
        if node.as_table().is_none() {
            // Whatever stands here may be the secret itself.
            notes.hide(&node.span);
            let message = format!("`{}` holds a value; secrets are references", node.path);
            notes.error(&node.span, message, secret_help(node.name()));
            return None;
        }
        let table: SecretTable = read_table(node, notes, &[])?;
        let secret = match (&table.credential, &table.file) {
            (Field::Good(name), Field::Absent) => Self::Credential(name.value.0.clone()),
            (Field::Absent, Field::Good(path)) => Self::File(path.value.0.clone()),
            (Field::Bad, _) | (_, Field::Bad) => return None,
            (Field::Absent, Field::Absent) | (Field::Good(_), Field::Good(_)) => {
                let message = format!("`{}` takes one of `credential` and `file`", node.path);
                notes.contradiction(&node.span, message, secret_help(node.name()));
                return None;
            }
        };
        notes.secrets.push(At { value: secret.clone(), key: node.key.clone(), span: node.span.clone() });
        Some(secret)
    }
}

/// How a secret is named.
pub(super) fn secret_help(key: &str) -> String {
    format!("{key} = {{ credential = \"NAME\" }} or {key} = {{ file = \"/PATH\" }} of mode 600")
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use secrecy::ExposeSecret;

    use super::*;

    fn file(dir: &Path, text: &[u8], mode: u32) -> PathBuf {
        let path = dir.join("secret");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn one_line_end_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        for (text, secret) in
            [("s3cret", "s3cret"), ("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), (" a b \n", " a b ")]
        {
            let path = file(dir.path(), text.as_bytes(), 0o600);
            assert_eq!(SecretRef::File(path).read(None).unwrap().expose_secret(), secret);
            let credential = SecretRef::Credential("secret".into());
            assert_eq!(credential.read(Some(dir.path())).unwrap().expose_secret(), secret);
        }
    }

    #[test]
    fn loose_modes_are_refused_with_the_remedy() {
        let dir = tempfile::tempdir().unwrap();
        for mode in [0o600, 0o400] {
            assert!(SecretRef::File(file(dir.path(), b"x", mode)).read(None).is_ok(), "{mode:o}");
        }
        for mode in [0o640, 0o604, 0o644, 0o700, 0o666, 0o610] {
            let path = file(dir.path(), b"x", mode);
            let error = SecretRef::File(path.clone()).read(None).unwrap_err().to_string();
            assert!(error.contains(&format!("chmod 600 {}", path.display())), "{mode:o}: {error}");
        }
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for text in [&b""[..], b"\n", b"  \n"] {
            let error = SecretRef::File(file(dir.path(), text, 0o600)).read(None).unwrap_err();
            assert!(matches!(error, SecretError::Empty { .. }), "{error}");
        }
        for text in [&b"a\nb\n"[..], b"\xff\xfe", b"a\0b", &[b'x'; 16 * 1024 + 1]] {
            let error = SecretRef::File(file(dir.path(), text, 0o600)).read(None).unwrap_err();
            assert!(matches!(error, SecretError::Unfit { .. }), "{error}");
        }
        let missing = SecretRef::File(dir.path().join("none")).read(None).unwrap_err();
        assert!(matches!(missing, SecretError::Missing { .. }));
        let folder = SecretRef::File(dir.path().to_owned()).read(None).unwrap_err();
        assert!(matches!(folder, SecretError::Unfit { .. }));
        let no_directory = SecretRef::Credential("smtp".into()).read(None).unwrap_err();
        assert!(no_directory.to_string().contains("LoadCredential=smtp"));
    }
}
