//! What kubectl 1.32 printed for these templates and this pod (`kubectl label --local -o jsonpath=...`), and what is refused.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::*;

fn pod() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "web",
            "namespace": "default",
            "labels": {"app": "web", "kubernetes.io/os": "linux"},
            "annotations": {"note": "x & <y>"},
        },
        "spec": {
            "terminationGracePeriodSeconds": 30,
            "containers": [
                {"name": "nginx", "image": "nginx:1", "ports": [{"containerPort": 80}, {"containerPort": 443}]},
                {"name": "ghost", "image": "ghost:5", "tty": true},
            ],
        },
        "status": {
            "phase": "Running",
            "podIP": "10.0.0.2",
            "conditions": [
                {"type": "Ready", "status": "True"},
                {"type": "Initialized", "status": "False", "message": "two\nlines"},
            ],
        },
    })
}

fn printed(template: &str) -> Result<String, Unfit> {
    let read: Template = template
        .parse()
        .unwrap_or_else(|fault| panic!("{template}: {fault}"));
    read.print(&pod(), |text| Cow::Borrowed(text))
}

#[test]
fn values_print_as_kubectl_prints_them() {
    for (template, expected) in [
        ("{.metadata.name}", "web"),
        ("{ .metadata.name }", "web"),
        ("a {.metadata.name} b }", "a web b }"),
        ("{$.metadata.name}", "web"),
        (
            "{.metadata.labels}{.metadata.annotations}",
            r#"{"app":"web","kubernetes.io/os":"linux"}{"note":"x \u0026 \u003cy\u003e"}"#,
        ),
        ("{.spec.terminationGracePeriodSeconds}", "30"),
        ("{1.5}{true}", "1.5true"),
        ("{.status.conditions[1].message}", "two\nlines"),
        ("{.metadata.name \"x\"}", "x"),
        (r"{'\x41\u00e4\'q'}", "Aä'q"),
        (r#"{"a\tb\n"}"#, "a\tb\n"),
        ("{.nope.more}", ""),
        ("", ""),
    ] {
        assert_eq!(printed(template).as_deref(), Ok(expected), "{template}");
    }
    assert_eq!(printed("{}"), printed("{@}"));
    assert_eq!(printed("{}").map(|text| text.len()), Ok(530));
}

#[test]
fn keys_and_indexes_are_found_as_kubectl_finds_them() {
    for (template, expected) in [
        (r"{.metadata.labels['kubernetes\.io/os']}", "linux"),
        (r"{.metadata.labels.kubernetes\.io/os}", "linux"),
        ("{['metadata']['name']}", "web"),
        ("{.metadata['name','namespace']}", "web default"),
        ("{.metadata.labels['app','nope']}", "web"),
        ("{.metadata.labels.*}", "web linux"),
        ("{.spec.containers[*].name}", "nginx ghost"),
        ("{.spec.containers[-1].name}", "ghost"),
        ("{.spec.containers[-2:].name}", "nginx ghost"),
        ("{.spec.containers[0:2:2].name}", "nginx"),
        ("{.spec.containers[0,1].name}", "nginx ghost"),
        ("{.spec.containers[].name}", "nginx"),
        (
            "{.spec.containers[*]['name','image']}",
            "nginx ghost nginx:1 ghost:5",
        ),
        ("{..name}", "web nginx ghost"),
        ("{..['name']}", "web nginx ghost"),
        ("{..containerPort}", "80 443"),
    ] {
        assert_eq!(printed(template).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn filters_keep_what_kubectl_keeps() {
    for (template, expected) in [
        (r#"{.status.conditions[?(@.type=="Ready")].status}"#, "True"),
        (
            r#"{.spec.containers[?( @.name == "nginx" )].name}"#,
            "nginx",
        ),
        ("{.spec.containers[?(@.name=='nginx')].image}", "nginx:1"),
        (r#"{.spec.containers[?(@.name!="nginx")].name}"#, "ghost"),
        ("{.spec.containers[?(@.ports)].name}", "nginx"),
        ("{.spec.containers[?(@.tty==true)].name}", "ghost"),
        (
            "{.spec.containers[?(@.ports[0].containerPort==80)].name}",
            "nginx",
        ),
        (
            "{.spec.containers[0].ports[?(@.containerPort>80)].containerPort}",
            "443",
        ),
        (
            "{.spec.containers[0].ports[?(@.containerPort<=80)].containerPort}",
            "80",
        ),
        (
            "{.spec.containers[?(@.image > @.name)].name}",
            "nginx ghost",
        ),
        ("{.spec.containers[0].tty[?(@.a)]}", ""),
    ] {
        assert_eq!(printed(template).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn ranges_stand_in_each_other() {
    for (template, expected) in [
        (
            r#"{range .spec.containers[*]}{.name}{"\t"}{range .ports[*]}{.containerPort},{end}{"\n"}{end}"#,
            "nginx\t80,443,\nghost\t\n",
        ),
        (
            "{ range .spec.containers[*] }{ .name }{ end }",
            "nginxghost",
        ),
        ("{range .spec.containers[*].name}{@};{end}", "nginx;ghost;"),
        ("{range .nope[*]}x{end}y", "y"),
    ] {
        assert_eq!(printed(template).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn what_does_not_fit_the_object_is_told() {
    for (template, why) in [
        (
            "{.spec.containers[5].name}",
            "there is no index 5 in a list of 2",
        ),
        ("{.spec.containers[1:0].name}", "from 1 back to 0"),
        (
            "{.metadata.labels[*]}",
            "a list is needed here, and this is an object",
        ),
        ("{.metadata.name[0]}", "this is a text"),
        (
            "{.spec.containers[?(@.name==1)].name}",
            "a text cannot be compared with a number",
        ),
        ("{.metadata[?(@.name)]}", "this is an object"),
    ] {
        let unfit = printed(template).expect_err(template).to_string();
        assert!(unfit.contains(why), "{template}: {unfit}");
    }
}

#[test]
fn a_bad_template_is_told_with_its_place() {
    for (template, character, why) in [
        ("{.nope", 1, "not closed"),
        ("ü {.a\n}", 3, "not closed on its line"),
        ("{metadata.name}", 2, "neither a field (.metadata)"),
        ("{.a[x]}", 5, "['x']"),
        ("{.a[0,x]}", 7, "no index"),
        ("{.a[::-1]}", 5, "more than 0"),
        ("{.a[0:1:2:3]}", 5, "[from:to:step]"),
        ("{.a[0}", 4, "this `[` is not closed"),
        ("{.a[?(@.b==c)]}", 12, "neither a field"),
        ("{.a[?(@.b==\"c\")}", 16, "`]` must follow"),
        ("{.a[?(@.b}", 4, "no `)`"),
        ("{.a[?(@.b=~\"c\")]}", 10, "none of =="),
        ("{.a[?(@.b==)]}", 12, "missing"),
        ("{.a[?(@.b==1 && @.c==2)]}", 14, "`&` has no meaning"),
        ("{\"a", 2, "not closed"),
        (r#"{"\q"}"#, 3, "a backslash is"),
        ("{....name}", 2, "twice"),
        ("{.}", 2, "`@`"),
        ("{#}", 2, "`#` has no meaning"),
        ("{1.2.3}", 2, "does not read as a number"),
        ("{range .a[*]}{.b}", 1, "has no {end}"),
        ("{.a}{end}", 5, "there is no {range}"),
        ("{range .a[*]}{end .b}", 14, "nothing may follow"),
        ("{.a range}", 5, "must come first"),
    ] {
        let fault = template.parse::<Template>().expect_err(template);
        assert_eq!(fault.character, character, "{template}: {fault}");
        assert!(fault.why.contains(why), "{template}: {fault}");
    }
}

#[test]
fn an_expression_needs_no_braces() {
    assert_eq!(printed(".metadata.name").as_deref(), Ok("web"));
    assert_eq!(printed("metadata.name").as_deref(), Ok("metadata.name"));
}

#[test]
fn foreign_text_is_shown_as_the_caller_wants() {
    let template: Template = "{.metadata.name}{\"\\n\"}".parse().expect("a template");
    let shown = template.print(&pod(), |text| text.replace('w', "W").into());
    assert_eq!(shown.as_deref(), Ok("Web\n"));
}

#[test]
fn a_condition_is_met_as_for_kubectl() {
    let holds = |text: &str| {
        let condition: Condition = text.parse().expect(text);
        condition.holds(&pod()).map_err(|unfit| unfit.to_string())
    };
    for text in [
        "{.status.phase}=Running",
        "{status.phase}=Running",
        ".status.phase=Running",
        "status.phase='Running'",
        "{.status.podIP}",
        "{.status.conditions[?(@.type==\"Ready\")].status}=True",
        ".status.conditions[?(@.type!='Ready')].status=False",
        "{.spec.containers[1].tty}=true",
        "{.spec.terminationGracePeriodSeconds}=30",
    ] {
        assert_eq!(holds(text), Ok(true), "{text}");
    }
    assert_eq!(holds("{.status.phase}=Failed"), Ok(false));
    assert_eq!(holds("{.status.reason}"), Ok(false));
    assert_eq!(holds("{.metadata.labels}"), Ok(true));
    assert!(holds("{.metadata.labels}=x").is_err_and(|why| why.contains("an object")));
    assert!(holds("{..name}").is_err_and(|why| why.contains("3 values")));
    for text in ["", "{}", "=x", "{.a}=", "{.a}{.b}", "{.a"] {
        assert!(text.parse::<Condition>().is_err(), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_template_is_too_strange(text in r#"(\{|range|end|\.\.|\[\?\(|name|metadata|[{}\[\]()@$.*'"\\a0-2:,=<>!~ \nü]){0,16}"#) {
        if let Ok(template) = text.parse::<Template>() {
            let _ = template.print(&pod(), |text| Cow::Borrowed(text));
        }
        if let Ok(condition) = text.parse::<Condition>() {
            let _ = condition.holds(&pod());
        }
    }
}
