//! Files that were damaged or taken away while nobody looked: the next start refuses, or the order journal shows that the
//! record is older than the world. Neither may pass for a record that is whole.

use powercut::cases::{unknown_orders, with_orders};
use powercut::disk::{Image, RECORD};
use simkeeper::store::StoreError;

const PAGE: usize = 4096;

fn bytes_of<'a>(image: &'a mut Image, name: &str) -> &'a mut Vec<u8> {
    image.0.get_mut(&format!("{RECORD}/{name}")).and_then(Option::as_mut).unwrap()
}

#[test]
fn a_log_that_was_deleted_or_damaged_is_a_roll_back() {
    let (whole, lines) = with_orders(false).unwrap();
    assert!(lines > 0);
    assert_eq!(unknown_orders(&whole), Ok(0), "undamaged");
    let mut deleted = whole.clone();
    deleted.0.remove(&format!("{RECORD}/simkeeper.db-wal")).unwrap();
    let mut header = whole.clone();
    bytes_of(&mut header, "simkeeper.db-wal")[..32].fill(0x55);
    let mut halved = whole.clone();
    let half = bytes_of(&mut halved, "simkeeper.db-wal").len() / 2;
    bytes_of(&mut halved, "simkeeper.db-wal")[half] ^= 0xff;
    for (what, image) in [("deleted", deleted), ("header", header), ("one byte", halved)] {
        match unknown_orders(&image) {
            Ok(unknown) => assert!(unknown > 0, "{what}: it passes for whole"),
            Err(error) => assert!(matches!(error, StoreError::Damaged { .. } | StoreError::Broken { .. }), "{error}"),
        }
    }
}

#[test]
fn a_database_that_was_deleted_is_a_roll_back() {
    let (mut image, lines) = with_orders(true).unwrap();
    image.0.remove(&format!("{RECORD}/simkeeper.db")).unwrap();
    assert_eq!(unknown_orders(&image), Ok(lines));
}

#[test]
fn a_page_whose_head_is_overwritten_is_found_before_it_is_used() {
    let (whole, _) = with_orders(true).unwrap();
    let pages = whole.file("simkeeper.db").unwrap().len() / PAGE;
    assert!(pages > 20, "{pages}");
    for page in 0..pages {
        let mut image = whole.clone();
        bytes_of(&mut image, "simkeeper.db")[page * PAGE..][..12].fill(0xff);
        let refused = unknown_orders(&image);
        assert!(
            matches!(
                refused,
                Err(StoreError::Damaged { .. } | StoreError::NotSqlite { .. } | StoreError::Broken { .. })
            ),
            "page {}: {refused:?}",
            page + 1
        );
    }
}
