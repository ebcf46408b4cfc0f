//! How the containers of a pod have ended, as a `JUnit` report: a test case each.
//!
//! Not here: when it is written (`commands::run`).

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::driver::results::{End, Ending};
use crate::spec::PodKey;

/// Why a pod was ended before it had come to its end by itself.
#[derive(Debug, Clone, Copy)]
pub struct Cut<'a> {
    /// `the time was up`.
    pub why: &'a str,
    /// The containers that ran then.
    pub running: &'a [String],
}

/// The report's text. A pod that was cut off has failed: with what ran then, and what had not been started.
///
/// # Errors
/// When it cannot be written as XML.
pub fn report(
    pod: &PodKey,
    endings: &[Ending],
    cut: Option<Cut<'_>>,
) -> Result<String, quick_junit::SerializeError> {
    let mut suite = TestSuite::new(pod.to_string());
    for ending in endings {
        suite.add_test_case(case(pod, ending, cut));
    }
    let mut report = Report::new("podctl");
    report.add_test_suite(suite);
    report.to_string()
}

fn case(pod: &PodKey, ending: &Ending, cut: Option<Cut<'_>>) -> TestCase {
    let is_cut_off = |cut: &Cut<'_>| match ending.end {
        End::Refused(_) => false,
        _ if ending.sidecar => false,
        End::NotStarted | End::Stopped => true,
        _ => cut.running.contains(&ending.container),
    };
    let status = match cut.filter(is_cut_off) {
        Some(cut) => {
            let code = ending.end.code();
            let told = code.map(|code| format!("; told to, it has ended with the code {code}"));
            let told = told.unwrap_or_default();
            failed(&format!("{}: the container had not ended{told}", cut.why))
        }
        None => of(ending),
    };
    let mut case = TestCase::new(ending.container.clone(), status);
    case.set_classname(pod.to_string());
    if let Some((started, finished)) = ending.times {
        case.set_time(Duration::from_millis(finished.saturating_sub(started)));
    }
    case.set_system_out(ending.log.as_str());
    case
}

/// Of one that has come to its end by itself, or could not.
fn of(ending: &Ending) -> TestCaseStatus {
    match ending.end {
        End::NotStarted => TestCaseStatus::skipped(),
        End::Refused(_) => {
            let why = ending.message.as_deref().unwrap_or_default();
            failed(&format!("the container could not be started: {why}"))
        }
        _ if ending.sidecar => TestCaseStatus::success(),
        End::Code(0) | End::Stopped => TestCaseStatus::success(),
        End::Code(code) => failed(&format!("the container has ended with the code {code}")),
        End::OutOfMemory(code) => failed(&format!(
            "the container was ended for its memory (OOMKilled), with the code {code}"
        )),
        End::Running => failed("the container had not ended when it was no longer waited for"),
    }
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
            message: Some("no such file".into()),
            log: "a < b\u{1b}[31m\u{0}\n".into(),
        };
        let endings = [
            ending("test", End::Code(7)),
            ending("side", End::Code(143)),
            ending("later", End::NotStarted),
        ];
        let pod = PodKey::new("default", "job");
        let text = report(&pod, &endings, None).expect("a report");
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
        // Of a pod that was cut off what had not come to its end has failed, whatever it ended with then.
        let endings = [
            ending("done", End::Code(0)),
            ending("obeys", End::Code(0)),
            ending("side", End::Stopped),
            ending("later", End::NotStarted),
            ending("broken", End::Refused(127)),
        ];
        let cut = Cut {
            why: "time was up",
            running: &["obeys".to_owned(), "side".to_owned()],
        };
        let text = report(&pod, &endings, Some(cut)).expect("a report");
        assert!(
            text.contains("tests=\"5\" skipped=\"0\" errors=\"0\" failures=\"3\""),
            "{text}"
        );
        assert!(
            text.contains("could not be started: no such file"),
            "{text}"
        );
    }
}
