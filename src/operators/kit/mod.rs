//! What adapters share: reading loose documents, keeping tokens and paces, listing fleets, and saying what went wrong.
//! Nothing here knows an operator.

mod amounts;
mod errors;
mod form;
mod iccid;
mod listing;
mod loose;
mod multipart;
mod pace;
mod raise;
mod recall;
mod sign;
mod times;
mod tokens;
mod wall;

pub(super) use amounts::{
    AMOUNTS_MAX, json_number, paid_for, received_for, row_of, share_of, sound_plans, whole_units,
};
pub(super) use errors::{
    blotted, doubtful, iccid_of, lacks, msisdn_of, never, no_code, not_bought, path_part, refused, unknown, unproven,
    wallet_only,
};
pub(super) use form::{FORM, JSON, form_of};
pub(super) use iccid::{IccidMap, same_card};
pub(super) use listing::Listing;
pub(super) use loose::{Flag, Loose, told};
pub(super) use multipart::{multipart_of, parts_of};
pub(super) use pace::Pace;
pub(super) use raise::{CardLimit, Limits, MEGABYTE, found, limit_id, no_limit, raises};
pub(super) use recall::Recall;
pub(super) use sign::{basic, hmac_sha256, hmac_sha512, lower_hex};
pub(super) use times::{millis, time_in};
pub(super) use tokens::{NewToken, Tokens};
pub(super) use wall::WallClock;
