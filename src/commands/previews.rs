//! `notice preview`: what messages look like, with made-up values. Prints the texts, or writes a gallery of files.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use minijinja::{Environment, context};
use serde::Serialize;
use serde_json::json;

use super::Context;
use super::cli::NoticePreviewArgs;
use super::exit::{Exit, Stop};
use crate::domain::notice::{Language, NoticeKind};
use crate::notify::sms::parts;
use crate::notify::{PICTURE_ID, Preview, previewed, shown};

/// One sample in one language, made.
struct Made {
    kind: NoticeKind,
    name: String,
    language: Language,
    preview: Preview,
}

/// A line of the gallery's page.
#[derive(Serialize)]
struct Entry {
    kind: &'static str,
    name: String,
    language: &'static str,
    file: String,
    subject: String,
    text_message: String,
    places: String,
}

/// Prints or writes the messages that the command line names.
pub(super) fn preview(context: &Context, args: &NoticePreviewArgs) -> anyhow::Result<Exit> {
    let kinds = NoticeKind::ALL.into_iter().filter(|kind| args.all || args.kind.as_deref() == Some(kind.as_str()));
    let languages = languages(args)?;
    let mut made = Vec::new();
    for kind in kinds {
        for sample in shown(kind) {
            for language in &languages {
                let preview = previewed(&sample, *language)?;
                made.push(Made { kind, name: sample.name.clone(), language: *language, preview });
            }
        }
    }
    match &args.to {
        Some(folder) => gallery(context, folder, &made),
        None => print(context, &made),
    }
}

/// The language that was asked for; else English to read, and every one to keep.
fn languages(args: &NoticePreviewArgs) -> anyhow::Result<Vec<Language>> {
    match &args.language {
        Some(tag) => Ok(vec![Language::parse(tag).map_err(Stop::command_line)?]),
        None if args.to.is_some() => Ok(Language::ALL.into()),
        None => Ok(vec![Language::ENGLISH]),
    }
}

fn print(context: &Context, made: &[Made]) -> anyhow::Result<Exit> {
    if context.output.json {
        let document = |made: &Made| {
            let Preview { subject, plain, html, text_message, mail: _, picture: _ } = &made.preview;
            json!({
                "kind": made.kind, "sample": made.name, "language": made.language, "subject": subject, "text": plain,
                "html": html, "text_message": text_message,
            })
        };
        context.output.document(json!({ "previews": made.iter().map(document).collect::<Vec<_>>() }))?;
        return Ok(Exit::Done);
    }
    for made in made {
        let Preview { subject, plain, text_message, .. } = &made.preview;
        context.output.say(&format!("== {} ({})\nSubject: {subject}\n\n{plain}\n", made.kind.as_str(), made.name))?;
        context.output.say(&format!("Text message ({}): {text_message}\n", places(text_message)))?;
    }
    Ok(Exit::Done)
}

/// How much of one text message is used.
fn places(text: &str) -> String {
    let (encoding, _) = parts(text);
    format!("{} of {} characters", encoding.width(text), encoding.alone())
}

/// Writes each message as a page, as text, as a whole mail and as a text message, and a page that shows them all.
fn gallery(context: &Context, folder: &Path, made: &[Made]) -> anyhow::Result<Exit> {
    for made in made {
        let own = folder.join(made.language.tag());
        fs::create_dir_all(&own).with_context(|| format!("cannot make the folder {}", own.display()))?;
        let Preview { plain, html, picture, mail, text_message, .. } = &made.preview;
        let stem = file_stem(made);
        // A browser finds the picture beside the page, a mail program inside the mail.
        let html = html.replace(&format!("cid:{PICTURE_ID}"), &format!("{stem}.png"));
        if let Some(picture) = picture {
            write(&own.join(format!("{stem}.png")), picture)?;
        }
        let files = [
            ("html", html.as_bytes()),
            ("txt", plain.as_bytes()),
            ("eml", mail.as_slice()),
            ("sms.txt", text_message.as_bytes()),
        ];
        for (ending, bytes) in files {
            write(&own.join(format!("{stem}.{ending}")), bytes)?;
        }
    }
    let index = folder.join("index.html");
    write(&index, page(made)?.as_bytes())?;
    let said = format!("wrote {} messages; open {}", made.len(), index.display());
    context.output.done(&said, json!({ "messages": made.len(), "index": index }))?;
    Ok(Exit::Done)
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

fn file_stem(made: &Made) -> String {
    format!("{}-{}", made.kind.as_str(), made.name)
}

/// The page of the gallery.
fn page(made: &[Made]) -> anyhow::Result<String> {
    let mut templates = Environment::new();
    templates.add_template("gallery.html", include_str!("previews.html"))?;
    let entries: Vec<Entry> = made
        .iter()
        .map(|made| Entry {
            kind: made.kind.as_str(),
            name: made.name.clone(),
            language: made.language.tag(),
            file: format!("{}/{}", made.language.tag(), file_stem(made)),
            subject: made.preview.subject.clone(),
            places: places(&made.preview.text_message),
            text_message: made.preview.text_message.clone(),
        })
        .collect();
    let entries = minijinja::Value::from(minijinja::value::Serde(&entries));
    Ok(templates.get_template("gallery.html")?.render(context! { entries })?)
}
