//! Judges what happened, from facts alone. Shares no code with the daemon, so that a wrong thought there is not thought
//! here again.

pub mod facts;
