//! Events as `kubectl events` shows them, a row each.
//!
//! Not here: which events there are (`reconcile::status`).

use k8s_openapi::api::core::v1;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::table::age;

/// The columns of [`row`].
pub const HEADER: [&str; 5] = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];

/// The cells of an event. `now`: in seconds since 1970.
#[must_use]
pub fn row(event: &v1::Event, now: i64) -> Vec<String> {
    let object = &event.involved_object;
    let name = object.name.clone().unwrap_or_default();
    let container = container(event).map(|container| format!("{{{container}}}"));
    vec![
        seen(event, now),
        event.type_.clone().unwrap_or_default(),
        event.reason.clone().unwrap_or_default(),
        format!("Pod/{name}{}", container.unwrap_or_default()),
        message(event),
    ]
}

/// The container that it is about; `None`: the whole pod.
#[must_use]
pub fn container(event: &v1::Event) -> Option<&str> {
    let path = event.involved_object.field_path.as_deref()?;
    path.split_once('{')?.1.strip_suffix('}')
}

/// In one line.
#[must_use]
pub fn message(event: &v1::Event) -> String {
    let message = event.message.as_deref().unwrap_or_default();
    message.trim().replace('\n', " ")
}

/// kubectl: `3s`, or `3s (x4 over 1m)`.
#[must_use]
pub fn seen(event: &v1::Event, now: i64) -> String {
    let since = |time: &Option<Time>| {
        let time = time.as_ref().map(|time| time.0.as_second());
        age(now - time.unwrap_or(now))
    };
    let last = since(&event.last_timestamp);
    match event.count {
        Some(count @ 2..) => format!("{last} (x{count} over {})", since(&event.first_timestamp)),
        _ => last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_happened_again_is_counted_over_its_time() {
        let event: v1::Event = serde_json::from_value(json!({
            "metadata": {},
            "involvedObject": {"name": "web", "fieldPath": "spec.containers{a}"},
            "type": "Warning", "reason": "Unhealthy", "message": "no\nreally\n", "count": 3,
            "firstTimestamp": "1970-01-01T00:00:10Z", "lastTimestamp": "1970-01-01T00:01:00Z",
        }))
        .expect("an event");
        assert_eq!(
            row(&event, 63),
            [
                "3s (x3 over 53s)",
                "Warning",
                "Unhealthy",
                "Pod/web{a}",
                "no really"
            ]
        );
    }
}
