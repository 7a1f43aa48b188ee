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
    let mut letter = Letter::new(
        Need::Act,
        say!(voice, "the record is damaged; nothing is bought", "记录已损坏，停止购买"),
        say!(
            voice,
            "A check found damage in simkeeper's own record. Cards are read and warnings go out; nothing is bought.",
            "检查发现 simkeeper 自身的记录有损坏。仍会读取各卡并发出提醒，但不购买。"
        ),
    );
    letter.row(say!(voice, "Found", "发现"), why.to_owned());
    letter.next(say!(
        voice,
        "Please stop the daemon and restore the newest sound copy. What was ordered since is in the journal of orders and becomes questions to you.",
        "请停止守护进程并恢复最新的完好备份。此后的订单在订单日志中，会逐一向您询问。"
    ));
    letter.command(say!(voice, "To see what is sound", "如需查看哪些完好"), "simkeeper verify".to_owned());
    letter
}

fn journal_lost(voice: &Voice) -> Letter {
    let mut letter = Letter::new(
        Need::Act,
        say!(voice, "the journal of orders is lost; nothing is bought", "订单日志丢失，停止购买"),
        say!(
            voice,
            "simkeeper's journal of orders is damaged or missing. Cards are read and warnings go out; nothing is bought.",
            "simkeeper 的订单日志已损坏或丢失。仍会读取各卡并发出提醒，但不购买。"
        ),
    );
    letter.next(say!(
        voice,
        "Please compare your operators' lists of orders with simkeeper's, then let each card go on.",
        "请将运营商的订单列表与 simkeeper 的记录核对，然后逐一恢复各卡。"
    ));
    letter.command(
        say!(voice, "To see the orders on record", "如需查看已记录的订单"),
        "simkeeper history CARD".to_owned(),
    );
    letter.command(say!(voice, "To let a card go on", "如需恢复"), "simkeeper resume CARD".to_owned());
    letter
}

fn copy_old(voice: &Voice, newest: Option<&str>) -> Letter {
    let first = match newest {
        Some(at) => say!(
            voice,
            "The newest copy of the record was made {at}, although one is wanted every day.",
            "记录的最新备份是 {at}，而设置要求每天备份。"
        ),
        None => say!(
            voice,
            "There is no copy of the record, although one is wanted every day.",
            "没有任何记录备份，而设置要求每天备份。"
        ),
    };
    let mut letter = Letter::new(Need::Act, say!(voice, "copies of the record are old", "记录备份过旧"), first);
    letter.next(say!(
        voice,
        "Please make one now; if it fails, it says why. Often the disk is full.",
        "请现在备份一次；若失败会说明原因，常见的是磁盘已满。"
    ));
    letter.command(say!(voice, "To make a copy", "如需备份"), "simkeeper backup".to_owned());
    letter
}

pub(super) fn short(voice: &Voice, problem: &RecordProblem) -> String {
    match problem {
        RecordProblem::Damaged { .. } => say!(
            voice,
            "simkeeper: its record is damaged, nothing is bought. Please run: simkeeper verify",
            "simkeeper：记录已损坏，停止购买。请运行simkeeper verify"
        ),
        RecordProblem::JournalLost => say!(
            voice,
            "simkeeper: its journal of orders is damaged or missing, nothing is bought. Please run: simkeeper verify",
            "simkeeper：订单日志损坏或丢失，停止购买。请运行simkeeper verify"
        ),
        RecordProblem::CopyOld { .. } => say!(
            voice,
            "simkeeper: the copies of its record are old. Please run: simkeeper backup",
            "simkeeper：记录备份过旧。请运行simkeeper backup"
        ),
    }
}
