//! How the containers of a pod have ended, as a `JUnit` report: a test case each.
//!
//! Not here: when it is written (`commands::run`).

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::driver::results::{End, Ending};
use crate::spec::PodKey;

/// The report's text.
///
/// # Errors
/// When it cannot be written as XML.
pub fn report(pod: &PodKey, endings: &[Ending]) -> Result<String, quick_junit::SerializeError> {
    let mut suite = TestSuite::new(pod.to_string());
    for ending in endings {
        suite.add_test_case(case(pod, ending));
    }
    let mut report = Report::new("podctl");
    report.add_test_suite(suite);
    report.to_string()
}

fn case(pod: &PodKey, ending: &Ending) -> TestCase {
    let status = match ending.end {
        End::NotStarted => TestCaseStatus::skipped(),
        _ if ending.sidecar => TestCaseStatus::success(),
        End::Code(0) | End::Stopped => TestCaseStatus::success(),
        End::Code(code) => failed(&format!("the container has ended with the code {code}")),
        End::OutOfMemory(code) => failed(&format!(
            "the container was ended for its memory (OOMKilled), with the code {code}"
        )),
        End::Running => failed("the container had not ended when it was no longer waited for"),
    };
    let mut case = TestCase::new(ending.container.clone(), status);
    case.set_classname(pod.to_string());
    if let Some((started, finished)) = ending.times {
        case.set_time(Duration::from_millis(finished.saturating_sub(started)));
    }
    case.set_system_out(ending.log.as_str());
    case
}

fn failed(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(message);
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_container_is_a_case_with_its_log() {
        let ending = |container: &str, end| Ending {
            container: container.into(),
            sidecar: container == "side",
            end,
            times: Some((1_000, 2_500)),
            log: "a < b\u{1b}[31m\u{0}\n".into(),
        };
        let endings = [
            ending("test", End::Code(7)),
            ending("side", End::Code(143)),
            ending("later", End::NotStarted),
        ];
        let pod = PodKey::new("default", "job");
        let text = report(&pod, &endings).expect("a report");
        for expected in [
            "<testsuite name=\"job\" tests=\"3\" skipped=\"1\" errors=\"0\" failures=\"1\"",
            "<testcase name=\"test\" classname=\"job\" time=\"1.500\">",
            "<failure message=\"the container has ended with the code 7\"",
            "<system-out>a &lt; b",
            "<skipped",
        ] {
            assert!(text.contains(expected), "{expected} is not in {text}");
        }
        assert!(!text.contains('\u{1b}') && !text.contains('\u{0}'));
    }
}
