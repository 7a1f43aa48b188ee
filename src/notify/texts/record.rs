//! Texts about the record itself: damage that was found, and copies that are old.

use super::voice::{Voice, cut};
use super::{Letter, Need};
use crate::domain::record::RecordProblem;

pub(super) fn letter(voice: &Voice, problem: &RecordProblem) -> Letter {
    match problem {
        RecordProblem::Damaged { why } => damaged(voice, &cut(why, 300)),
        RecordProblem::JournalLost => journal_lost(voice),
        RecordProblem::CopyOld { newest } => {
            let newest = newest.map(|at| voice.time(at));
            copy_old(voice, newest.as_deref())
        }
    }
}

fn damaged(voice: &Voice, why: &str) -> Letter {
    let mut letter = Letter::new(Need::Act, say!(voice, "damaged-subject"), say!(voice, "damaged-first"));
    letter.row(say!(voice, "label-found"), why.to_owned());
    letter.next(say!(voice, "damaged-next"));
    letter.command(say!(voice, "command-verify"), "simkeeper verify".to_owned());
    letter
}

fn journal_lost(voice: &Voice) -> Letter {
    let mut letter = Letter::new(Need::Act, say!(voice, "journal-lost-subject"), say!(voice, "journal-lost-first"));
    letter.next(say!(voice, "journal-lost-next"));
    letter.command(say!(voice, "command-history"), "simkeeper history CARD".to_owned());
    letter.command(say!(voice, "command-resume-card"), "simkeeper resume CARD".to_owned());
    letter
}

fn copy_old(voice: &Voice, newest: Option<&str>) -> Letter {
    let first = match newest {
        Some(at) => say!(voice, "copy-old-first", at),
        None => say!(voice, "copy-none-first"),
    };
    let mut letter = Letter::new(Need::Act, say!(voice, "copy-old-subject"), first);
    letter.next(say!(voice, "copy-old-next"));
    letter.command(say!(voice, "command-backup"), "simkeeper backup".to_owned());
    letter
}

pub(super) fn short(voice: &Voice, problem: &RecordProblem) -> String {
    match problem {
        RecordProblem::Damaged { .. } => say!(voice, "damaged-short"),
        RecordProblem::JournalLost => say!(voice, "journal-lost-short"),
        RecordProblem::CopyOld { .. } => say!(voice, "copy-old-short"),
    }
}
