//! Files that describe an operator: either one can be opened, or every problem has a place and words.

use simkeeper::operators::http::Way;
use simkeeper::operators::profile::{ProfileOperator, check as profile_of, check_file};

pub(crate) fn check(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    match profile_of(text) {
        Ok(profile) => {
            let secrets = profile.secrets().iter().map(|name| (name.clone(), "a-secret".to_owned().into())).collect();
            let way = Way { unpaced: true, ..Way::to("http://127.0.0.1:9") };
            let operator =
                ProfileOperator::open(&way, profile.clone(), secrets).expect("a profile that is in order opens");
            assert!(!format!("{operator:?}").contains("a-secret"));
            // Only the operator's own hosts are ever asked.
            let stranger = Way { stand_in: Some("https://stranger.invalid".into()), ..way };
            let secrets = profile.secrets().iter().map(|name| (name.clone(), "a-secret".to_owned().into())).collect();
            assert!(text.contains("stranger.invalid") || ProfileOperator::open(&stranger, profile, secrets).is_err());
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a problem");
            for problem in &problems {
                let line =
                    text.split('\n').nth(problem.line - 1).unwrap_or_else(|| panic!("no such line: {problem:?}"));
                assert!((1..=line.chars().count() + 1).contains(&problem.column), "no such column: {problem:?}");
                assert!(!problem.message.trim().is_empty());
            }
            let shown = check_file(text, "operator.toml").expect_err("the same file");
            assert!(!shown.contains(['\u{1b}', '\u{0}', '\u{7}', '\u{202e}']), "{shown:?}");
        }
    }
}
