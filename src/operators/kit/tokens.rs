//! A token that is asked for once and kept until shortly before its end.

use std::future::Future;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::domain::operator::OperatorError;

/// A token is renewed this long before its end, so that it does not end on the way to an order.
const SPARE: Duration = Duration::from_secs(600);

/// A token that was just given.
pub(in crate::operators) struct NewToken {
    /// The token.
    pub(in crate::operators) value: SecretString,
    /// How long it lives, where that is told.
    pub(in crate::operators) lives: Option<Duration>,
}

/// The token of one account.
#[derive(Debug)]
pub(in crate::operators) struct Tokens {
    longest: Duration,
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    value: SecretString,
    good_until: Instant,
}

impl Tokens {
    /// Tokens that are kept for `longest` at most, whatever the operator says.
    pub(in crate::operators) fn new(longest: Duration) -> Self {
        Self { longest, kept: Mutex::new(None) }
    }

    /// The token; only one caller at a time asks for a new one (by `fetch`), and the others wait for it.
    ///
    /// # Errors
    /// Those of `fetch`.
    pub(in crate::operators) async fn get(
        &self,
        fetch: impl Future<Output = Result<NewToken, OperatorError>>,
    ) -> Result<SecretString, OperatorError> {
        let mut kept = self.kept.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| Instant::now() < token.good_until) {
            return Ok(token.value.clone());
        }
        // Counted from before the asking: the operator counts from some time after it.
        let asked_at = Instant::now();
        let new = fetch.await?;
        let value = new.value.clone();
        *kept = Some(Kept { value: new.value, good_until: asked_at + good_for(new.lives, self.longest) });
        Ok(value)
    }

    /// Forgets a token that was refused, unless another has taken its place.
    pub(in crate::operators) async fn forget(&self, refused: &SecretString) {
        let mut kept = self.kept.lock().await;
        if kept.as_ref().is_some_and(|token| token.value.expose_secret() == refused.expose_secret()) {
            *kept = None;
        }
    }
}

fn good_for(lives: Option<Duration>, longest: Duration) -> Duration {
    let whole = lives.unwrap_or(longest).min(longest);
    // A token shorter than the spare time is still good for half its life.
    whole.saturating_sub(SPARE).max(whole / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_before_its_end() {
        let secs = |lives: Option<u64>| good_for(lives.map(Duration::from_secs), Duration::from_secs(86_400)).as_secs();
        for (lives, good) in
            [(Some(31_622_400), 85_800), (Some(3_600), 3_000), (Some(100), 50), (None, 85_800), (Some(0), 0)]
        {
            assert_eq!(secs(lives), good, "{lives:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_token_serves_until_it_ends_or_is_refused() {
        let tokens = Tokens::new(Duration::from_secs(3_600));
        let fetch = |text: &'static str| async move { Ok(NewToken { value: text.into(), lives: None }) };
        assert_eq!(tokens.get(fetch("a")).await.unwrap().expose_secret(), "a");
        assert_eq!(tokens.get(fetch("b")).await.unwrap().expose_secret(), "a");
        tokens.forget(&"z".into()).await;
        assert_eq!(tokens.get(fetch("c")).await.unwrap().expose_secret(), "a");
        tokens.forget(&"a".into()).await;
        assert_eq!(tokens.get(fetch("d")).await.unwrap().expose_secret(), "d");
        tokio::time::advance(Duration::from_secs(3_001)).await;
        assert_eq!(tokens.get(fetch("e")).await.unwrap().expose_secret(), "e");
    }
}
