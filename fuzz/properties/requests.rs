//! What commands say over the control socket, and what the daemon says back: documents that are read are written as the
//! same again, and what is no request is none.

use serde_json::Value;
use simkeeper::daemon::request::{Asked, Reply};

pub(crate) fn check(data: &[u8]) {
    if let Ok(asked) = serde_json::from_slice::<Asked>(data) {
        let written = serde_json::to_value(&asked).unwrap();
        let again: Asked = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&again).unwrap(), written);
        assert!(written.get("by").is_some_and(Value::is_string), "somebody asks");
        assert!(written.pointer("/request/do").is_some_and(Value::is_string), "one thing is asked");
    }
    if let Ok(reply) = serde_json::from_slice::<Reply>(data) {
        let written = serde_json::to_value(&reply).unwrap();
        let again: Reply = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&again).unwrap(), written);
    }
}
