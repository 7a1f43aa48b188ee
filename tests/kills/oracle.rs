//! What must hold after each death and at each rest. It counts what the operator took, what the mail server kept and what
//! the phone got, and believes nothing that the daemon says of itself but which messages there are to be.

use std::collections::BTreeMap;

use crate::rest::is_given_up;
use crate::trial::Trial;
use crate::world::record::Notice;
use crate::world::wait_for;

/// A text costs money each time.
const TEXT_COPIES_MAX: usize = 2;

impl Trial<'_> {
    /// P1: never more orders than needs, and none that the journal does not know.
    pub(crate) fn check_orders(&mut self) {
        let orders = self.world.sandbox.accepted_orders();
        for (card, needs) in &self.needs {
            let iccid = self.world.iccid(card);
            let taken: Vec<_> = orders.iter().filter(|order| order.card == iccid).collect();
            assert!(
                taken.len() <= *needs,
                "{}: {needs} needs of {card}, {taken:#?}\n{}",
                self.name,
                self.world.state_of_affairs()
            );
        }
        let journal = std::fs::read_to_string(self.world.state().join("orders.journal")).unwrap_or_default();
        for order in &orders[self.in_journal..] {
            assert!(journal.contains(&order.key), "{}: {order:?} is not in the journal", self.name);
        }
        self.in_journal = orders.len();
    }

    /// P5: each notice left; twice only if the process died while it was on its way.
    pub(crate) fn check_notices(&mut self) {
        let notices = self.world.notices();
        let (texts, mails): (Vec<_>, Vec<_>) = notices.iter().partition(|notice| notice.is_text);
        self.check_mails(&mails);
        self.check_texts(&texts);
        for attempt in self.books().attempts.iter().filter(|attempt| attempt.state == "done") {
            let told = mails.iter().any(|notice| notice.kind == "bought" && notice.attempt == Some(attempt.id));
            assert!(told, "{}: nobody was told of {attempt:?}", self.name);
        }
    }

    fn check_mails(&mut self, notices: &[&Notice]) {
        let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
        for mail in self.post.mails() {
            *arrived.entry(mail.id).or_default() += 1;
        }
        (self.tally.mails, self.tally.mails_twice) = (0, 0);
        for notice in notices {
            let id = notice.message_id.trim_matches(['<', '>']);
            let copies = arrived.remove(id).unwrap_or(0);
            let most = 1 + self.died_on_the_way.get(&notice.id).copied().unwrap_or(0);
            assert!((1..=most).contains(&copies), "{}: {copies} copies of {notice:?}\n{}", self.name, self.world.log());
            self.tally.mails += 1;
            self.tally.mails_twice += usize::from(copies > 1);
        }
        assert!(arrived.is_empty(), "{}: mails that nobody wrote: {arrived:?}", self.name);
    }

    fn check_texts(&mut self, notices: &[&Notice]) {
        let word = |notice: &Notice| notice.message_id.trim_start_matches('<').split('@').next().unwrap().to_owned();
        let sent: Vec<String> =
            notices.iter().filter(|notice| notice.state == "sent").map(|notice| word(notice)).collect();
        // The gateway has taken them over; it may still be handing the last ones to its network.
        let mut arrived = wait_for("the texts to arrive", || {
            let arrived = self.shared.kannel.texts_to(&self.number);
            sent.iter().all(|id| arrived.contains_key(id)).then_some(arrived)
        });
        (self.tally.texts, self.tally.texts_twice, self.tally.texts_given_up) = (0, 0, 0);
        for notice in notices {
            let copies = arrived.remove(&word(notice)).unwrap_or(0);
            let deaths = self.died_on_the_way.get(&notice.id).copied().unwrap_or(0);
            let (least, most) = (usize::from(!is_given_up(notice)), TEXT_COPIES_MAX.min(1 + deaths));
            assert!(least == 1 || deaths > 0, "{}: given up without a death: {notice:?}", self.name);
            assert!((least..=most).contains(&copies), "{}: {copies} copies of the text {notice:?}", self.name);
            self.tally.texts += 1;
            self.tally.texts_twice += usize::from(copies > 1);
            self.tally.texts_given_up += usize::from(is_given_up(notice));
        }
        assert!(arrived.is_empty(), "{}: texts that nobody wrote: {arrived:?}", self.name);
    }

    /// P6: the record is whole, and nothing in it is taken for a restored copy.
    pub(crate) fn check_record(&self) {
        let record = self.world.record().unwrap();
        assert_eq!(record.damage(), Vec::<String>::new(), "{}", self.name);
        assert_eq!(record.quarantined(), 0, "{}: the record was taken for an older one", self.name);
    }
}
