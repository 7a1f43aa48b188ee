//! Lists the languages in which people are told: one file of texts each in `src/notify/locales`, named by its tag, so that
//! another language is another file and nothing else.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

const FOLDER: &str = "src/notify/locales";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = folder().ok_or("there is no folder of texts")?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if let (Some("ftl"), Some(tag)) = (path.extension().and_then(|e| e.to_str()), path.file_stem()) {
            files.push((tag.to_str().ok_or("a tag is ASCII")?.to_owned(), path));
        }
    }
    // English first: it stands in where another language lacks a text.
    files.sort_by_key(|(tag, _)| (tag != "en", tag.clone()));
    if files.first().is_none_or(|(tag, _)| tag != "en") {
        return Err(format!("{FOLDER}/en.ftl is missing").into());
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let tags: Vec<String> = files.iter().map(|(tag, _)| format!("{tag:?}")).collect();
    fs::write(out.join("tags.rs"), format!("&[{}]", tags.join(", ")))?;
    let texts: Vec<String> = files.iter().map(|(_, path)| format!("include_str!({path:?})")).collect();
    fs::write(out.join("texts.rs"), format!("&[{}]", texts.join(", ")))?;
    Ok(())
}

/// The folder in this package, or, for the room `domain` by itself, in the one above it.
fn folder() -> Option<PathBuf> {
    let package = env::var("CARGO_MANIFEST_DIR").ok()?;
    Path::new(&package).ancestors().map(|up| up.join(FOLDER)).find(|folder| folder.is_dir())
}
