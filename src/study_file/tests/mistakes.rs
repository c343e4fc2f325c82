//! Every mistake in its exact words: from TOML, from JSON, from overrides.

use super::*;

fn messages(text: &str, name: &str, overrides: &[&str]) -> String {
    parse(text, name, overrides).unwrap_err().to_string()
}

/// Each case: a line of the study, what it is replaced by, the message.
fn assert_messages(cases: &[(&str, &str, &str)]) {
    for (old, new, expected) in cases {
        assert_eq!(messages(&study_with(old, new), "s.toml", &[]), *expected, "{new}");
    }
}

const NAME: &str = "a name of at most 64 letters, digits, - and _";
const NAME_LINE: &str = "name = \"digits\"";

#[test]
fn of_the_study() {
    let long = "x".repeat(65);
    assert_messages(&[
        (NAME_LINE, "", &format!("s.toml:1: study.name: missing, expected {NAME}")),
        (NAME_LINE, "name = ''", &format!("s.toml:2: study.name = \"\": expected {NAME}")),
        (NAME_LINE, "name = 'a b'", &format!("s.toml:2: study.name = \"a b\": expected {NAME}")),
        (NAME_LINE, "name = 7", &format!("s.toml:2: study.name = 7: expected {NAME}")),
        (
            NAME_LINE,
            &format!("name = '{long}'"),
            &format!("s.toml:2: study.name = \"{}…: expected {NAME}", "x".repeat(59)),
        ),
        (
            NAME_LINE,
            "name = 'a'\nseed = -1",
            "s.toml:3: study.seed = -1: expected a whole number from 0 to 18446744073709551615",
        ),
        (
            NAME_LINE,
            "name = 'a'\nsede = 1",
            "s.toml:3: study.sede = 1: unknown key, expected one of name, seed; \
             did you mean `seed`?",
        ),
    ]);
}

#[test]
fn of_the_data() {
    let target = "target = \"label\"";
    let after = |line: &str| format!("{target}\n{line}");
    let one_character = "expected one ASCII character, no quote and no line break";
    let column_number = "expected a column number, from 0 or from the end by -1";
    let cases = [
        ("format = 'cvs'", "data.format = \"cvs\": expected one of csv; did you mean \"csv\"?"),
        ("header = 'yes'", "data.header = \"yes\": expected true or false"),
        ("validation = 1", "data.validation = 1: expected a number above 0 and below 1"),
        ("validation = nan", "data.validation = NaN: expected a number above 0 and below 1"),
        ("partitions = 0", "data.partitions = 0: expected a whole number from 1 to 65536"),
        ("partitions = 4.0", "data.partitions = 4.0: expected a whole number from 1 to 65536"),
        ("delimiter = ';;'", &format!("data.delimiter = \";;\": {one_character}")),
        ("delimiter = '\"'", &format!("data.delimiter = \"\\\"\": {one_character}")),
        (
            "task = 'classify'",
            "data.task = \"classify\": expected one of classification, regression",
        ),
        ("standardize = 2024-01-01", "data.standardize = 2024-01-01: expected true or false"),
    ];
    for (line, expected) in cases {
        assert_messages(&[(target, &after(line), &format!("s.toml:6: {expected}"))]);
    }
    assert_messages(&[
        (
            target,
            "target = ''",
            "s.toml:5: data.target = \"\": expected the name or the number of a column",
        ),
        (
            target,
            "target = 10000000",
            &format!("s.toml:5: data.target = 10000000: {column_number}"),
        ),
        (
            "path = \"digits.csv\"",
            "pth = 'x'",
            "s.toml:3: data.path: missing, expected the path of a CSV file\n\
             s.toml:4: data.pth = \"x\": unknown key, expected one of format, path, folder, header, \
             target, task, validation, partitions, standardize, delimiter; did you mean `path`?",
        ),
    ]);
}

#[test]
fn of_the_model() {
    let known = "expected one of family, learning_rate, width, hidden, optimizer, normalize";
    let cases = [
        (
            "family = 'mpl'",
            "model.family = \"mpl\": expected one of linear, mlp; did you mean \"mlp\"?",
        ),
        (
            "hiden = [64]",
            &format!("model.hiden = [64]: unknown key, {known}; did you mean `hidden`?"),
        ),
        (
            "hidden = 64",
            "model.hidden = 64: expected a list of at most 8 whole numbers from 1 to 4096",
        ),
        (
            "hidden = [0]",
            "model.hidden = [0]: expected a list of at most 8 whole numbers from 1 to 4096",
        ),
        ("width = 1.5", "model.width = 1.5: expected a whole number from 1 to 4096"),
        (
            "width = 99999999999999999999",
            "model.width = 99999999999999999999: expected a whole number from 1 to 4096",
        ),
        ("learning_rate = 0", "model.learning_rate = 0: expected a number above 0 to 10"),
        ("learning_rate = inf", "model.learning_rate = inf: expected a number above 0 to 10"),
        (
            "optimizer = 'adm'",
            "model.optimizer = \"adm\": expected one of adam, sgd; did you mean \"adam\"?",
        ),
        ("normalize = {}", "model.normalize = {}: expected true or false"),
        (
            "epochs = 3",
            &format!("model.epochs = 3: unknown key, {known}; did you mean `budget.epochs`?"),
        ),
    ];
    for (line, expected) in cases {
        let new = format!("[model]\n{line}");
        assert_messages(&[("[model]", &new, &format!("s.toml:7: {expected}"))]);
    }
}

#[test]
fn of_the_search() {
    let cases = [
        (
            "sampler = 'randm'",
            "search.sampler = \"randm\": expected one of grid, random, sobol; did you mean \"random\"?",
        ),
        ("sampler = ['grid']", "search.sampler = [\"grid\"]: expected one of grid, random, sobol"),
        (
            "policy = 'ahsa'",
            "search.policy = \"ahsa\": expected one of none, median, asha; did you mean \"asha\"?",
        ),
        ("policy = { eta = 3 }", "search.policy.name: missing, expected one of none, median, asha"),
        (
            "policy = { name = 'medan' }",
            "search.policy.name = \"medan\": expected one of none, median, asha; did you mean \"median\"?",
        ),
        (
            "policy = { name = 'asha', eta = 1 }",
            "search.policy.eta = 1: expected a whole number from 2 to 16",
        ),
        (
            "policy = { name = 'asha', eta = 17 }",
            "search.policy.eta = 17: expected a whole number from 2 to 16",
        ),
        (
            "policy = { name = 'asha', min_epochs = 6 }",
            "search.policy.min_epochs = 6: expected a whole number from 1 to 5",
        ),
        (
            "policy = { name = 'median', min_trials = 0 }",
            "search.policy.min_trials = 0: expected a whole number from 1 to 1000000",
        ),
        (
            "policy = { name = 'median', eta = 3 }",
            "search.policy.eta = 3: unknown key, expected one of name, grace_epochs, min_trials",
        ),
        ("concurrency = 0", "search.concurrency = 0: expected a whole number from 1 to 65536"),
        (
            "trials = 3",
            "search.trials = 3: unknown key, expected one of sampler, policy, concurrency, space; did you mean `budget.trials`?",
        ),
    ];
    for (line, expected) in cases {
        let new = format!("[search]\n{line}");
        assert_messages(&[("[search]", &new, &format!("s.toml:8: {expected}"))]);
    }
}

#[test]
fn of_a_domain() {
    let rate = "a number above 0 to 10";
    let whole = "a whole number from 1 to 4096";
    let cases = [
        (
            "width = { low = 1, hihg = 9 }",
            "width.high: missing, expected a whole number from 1 to 4096\n\
          s.toml:9: search.space.width.hihg = 9: unknown key, expected one of low, high, scale, points; did you mean `high`?",
        ),
        (
            "widht = [1]",
            "widht = [1]: unknown key, expected one of learning_rate, width, hidden, optimizer, normalize; did you mean `width`?",
        ),
        ("width = { low = 0, high = 9 }", &format!("width.low = 0: expected {whole}")),
        ("width = { low = 1, high = 2.5 }", &format!("width.high = 2.5: expected {whole}")),
        ("width = { low = 9, high = 9 }", "width: has low 9 and high 9, expected low < high"),
        (
            "width = 9",
            "width = 9: expected a list of choices or a range { low, high }; a fixed value belongs in [model]",
        ),
        (
            "learning_rate = { low = 0, high = 1 }",
            &format!("learning_rate.low = 0: expected {rate}"),
        ),
        (
            "learning_rate = { low = 1, high = nan }",
            &format!("learning_rate.high = NaN: expected {rate}"),
        ),
        (
            "learning_rate = { low = 1, high = 2, scale = 'lgo' }",
            "learning_rate.scale = \"lgo\": expected one of linear, log; did you mean \"log\"?",
        ),
        (
            "learning_rate = { low = 1, high = 2, points = 0 }",
            "learning_rate.points = 0: expected a whole number from 1 to 65536",
        ),
        ("learning_rate = []", "learning_rate: has no values, expected at least one"),
        ("learning_rate = [1, 1.0]", "learning_rate: lists 1 twice, expected different values"),
        (
            "optimizer = ['adam', 'sdg']",
            "optimizer = \"sdg\": expected one of adam, sgd; did you mean \"sgd\"?",
        ),
        (
            "optimizer = { low = 1, high = 2 }",
            "optimizer = { high = 2, low = 1 }: expected a list of choices, each one of adam, sgd",
        ),
        (
            "optimizer = 'adam'",
            "optimizer = \"adam\": expected a list of choices; a fixed value belongs in [model]",
        ),
        (
            "hidden = [64, 32]",
            "hidden = 64: expected a list of at most 8 whole numbers from 1 to 4096\n\
          s.toml:9: search.space.hidden = 32: expected a list of at most 8 whole numbers from 1 to 4096",
        ),
    ];
    for (line, expected) in cases {
        let new = format!("[search.space]\n{line}");
        let expected = format!("s.toml:9: search.space.{expected}");
        assert_messages(&[("[search.space]", &new, &expected)]);
    }
}

#[test]
fn of_space_and_sampler_together() {
    let grid = |space: &str| {
        let text =
            study_with("[search.space]", &format!("sampler = 'grid'\n[search.space]\n{space}"));
        messages(&text, "s.toml", &[])
    };
    assert_eq!(
        grid("learning_rate = { low = 1, high = 2 }"),
        "s.toml:10: search.space.learning_rate: is continuous, \
         and a grid needs `points = N` to cut it"
    );
    let wide = "{ low = 1, high = 2, points = 65536 }";
    assert_eq!(
        grid(&format!(
            "learning_rate = {wide}\nwidth = {{ low = 1, high = 4096 }}\nhidden = [[1], [2], [3], [4], [5], [6], [7], [8], [9], [10], [11], [12], [13], [14], [15], [16], [17]]"
        )),
        "s.toml:9: search.space: the grid has more than 4294967296 points, \
         expected fewer by shorter lists or `points`"
    );
    let both = study_with("[model]", "[model]\nwidth = 3")
        .replace("[search.space]", "[search.space]\nwidth = [1]");
    assert_eq!(
        messages(&both, "s.toml", &[]),
        "s.toml:10: search.space.width: is fixed by model.width as well, expected one of the two"
    );
}

#[test]
fn of_more_parameters_than_a_sobol_sequence_has() {
    let names: Vec<&'static str> = (0..257).map(|at| &*format!("p{at}").leak()).collect();
    let accepts = Accepts::Bool;
    let parameter = |name: &&'static str| Parameter {
        name,
        accepts: accepts.clone(),
        default: false.into(),
        help: "",
    };
    let families = [("mlp", names.iter().map(parameter).collect())];
    let space: String = names.iter().map(|name| format!("{name} = [true, false]\n")).collect();
    let text = study_with("[search.space]", &format!("sampler = 'sobol'\n[search.space]\n{space}"));
    assert_eq!(
        StudyFile::parse(&text, "s.toml", &[], &families).unwrap_err().to_string(),
        "s.toml:9: search.space: 257 parameters, expected at most 256 for a Sobol sequence"
    );
}

#[test]
fn of_objective_budget_and_run() {
    let cases = [
        (
            "[objective]\nmetric = 'acuracy'",
            "objective.metric = \"acuracy\": expected one of accuracy, loss, mae, rmse, r2; did you mean \"accuracy\"?",
        ),
        (
            "[objective]\ndirection = 'max'",
            "objective.direction = \"max\": expected one of maximize, minimize; did you mean \"maximize\"?",
        ),
        ("[run]\nslots = 0", "run.slots = 0: expected a whole number from 1 to 1024"),
        (
            "[run]\ndevice = 'gpu'",
            "run.device = \"gpu\": expected one of cpu, wgpu, cuda; did you mean \"wgpu\"?",
        ),
        ("[run]\norder = 'rotate'", "run.order = \"rotate\": expected one of rotation, free"),
    ];
    for (section, expected) in cases {
        let new = format!("{section}\n[budget]");
        assert_messages(&[("[budget]", &new, &format!("s.toml:10: {expected}"))]);
    }
    let whole = "expected a whole number from 1 to";
    let duration = "expected a duration such as \"90s\", \"10m\" or \"1h30m\"";
    assert_messages(&[
        ("trials = 4", "", "s.toml:9: budget.trials: missing, expected the number of trials"),
        ("trials = 4", "trials = 0", &format!("s.toml:10: budget.trials = 0: {whole} 4294967295")),
        ("epochs = 5", "epochs = 0", &format!("s.toml:11: budget.epochs = 0: {whole} 1000000")),
        (
            "epochs = 5",
            "",
            "s.toml:9: budget.epochs: missing, expected the number of epochs of a trial",
        ),
        (
            "epochs = 5",
            "epochs = 5\nwall_clock = '10'",
            &format!("s.toml:12: budget.wall_clock = \"10\": {duration}"),
        ),
        (
            "epochs = 5",
            "epochs = 5\nwall_clock = 10",
            &format!("s.toml:12: budget.wall_clock = 10: {duration}"),
        ),
    ]);
}

#[test]
fn of_sections() {
    assert_messages(&[
        (
            "[search]",
            "[serch]",
            "s.toml:7: serch = {}: unknown key, expected one of study, data, model, search, objective, budget, run; did you mean `search`?",
        ),
        ("[model]", "[[model]]", "s.toml:6: model = [{}]: expected a table"),
    ]);
    assert_eq!(
        messages("data = 3\nbudget = []\nname = 'x'", "s.toml", &[]),
        format!(
            "s.toml: study.name: missing, expected {NAME}\n\
             s.toml:1: data = 3: expected a table\n\
             s.toml:2: budget = []: expected a table\n\
             s.toml:3: name = \"x\": unknown key, expected one of study, data, model, search, \
             objective, budget, run; did you mean `study.name`?"
        )
    );
}

#[test]
fn of_syntax() {
    let cases = [
        ("[study]\nname = \n", "s.toml:2: "),
        ("[study\n", "s.toml:1: "),
        ("a = 1\na = 2\n", "s.toml:2: key \"a\" is given twice, first at line 1; expected it once"),
        ("a = [1,\n", "s.toml:"),
    ];
    for (text, start) in cases {
        let found = messages(text, "s.toml", &[]);
        assert!(found.starts_with(start) && found.lines().count() == 1, "{found}");
    }
    assert_eq!(
        messages("{\"study\": }", "s.json", &[]),
        "s.json:1: `{\"study\": }`: unexpected close brace; expected JSON"
    );
    assert_eq!(
        messages("{\n \"a\": 1,\n}", "S.JSON", &[]),
        "S.JSON:2: `\"a\": 1,`: trailing commas are not allowed; expected JSON"
    );
}

#[test]
fn of_json() {
    let text = r#"{
  "study": { "name": "digits", "seed": 1e3 },
  "data": { "path": "d.csv", "target": null, "tsk": "regression" },
  "search": {
    "sampler": "randm",
    "space": {
      "width": { "low": 16, "high": 256, "sacle": "log" },
      "optimizer": ["adam", "adm"]
    }
  },
  "objective": { "metric": "f1" },
  "budget": { "trials": 4, "epochs": "5" }
}"#;
    assert_eq!(
        messages(text, "s.json", &[]),
        "s.json:2: study.seed = 1000.0: expected a whole number from 0 to 18446744073709551615\n\
         s.json:3: data.target = null: expected the name or the number of a column\n\
         s.json:3: data.tsk = \"regression\": unknown key, expected one of format, path, folder, \
         header, target, task, validation, partitions, standardize, delimiter; did you mean `task`?\n\
         s.json:5: search.sampler = \"randm\": expected one of grid, random, sobol; \
         did you mean \"random\"?\n\
         s.json:7: search.space.width.sacle = \"log\": unknown key, expected one of low, high, \
         scale, points; did you mean `scale`?\n\
         s.json:8: search.space.optimizer = \"adm\": expected one of adam, sgd; \
         did you mean \"adam\"?\n\
         s.json:11: objective.metric = \"f1\": expected one of accuracy, loss, mae, rmse, r2\n\
         s.json:12: budget.epochs = \"5\": expected a whole number from 1 to 1000000"
    );
}

#[test]
fn of_overrides() {
    let overrides = [
        "search.sampler=randm",
        "search.space.width.low=0",
        "search.space.width.high=9",
        "serch.policy=asha",
        "budget.epochs",
        "budget..epochs=1",
        "=1",
        "a.b.c.d.e.f.g.h.i=1",
    ];
    let form = "expected KEY=VALUE, for example budget.epochs=3";
    assert_eq!(
        messages(STUDY, "s.toml", &overrides),
        format!(
            "--set =1: {form}\n\
             --set a.b.c.d.e.f.g.h.i=1: {form}\n\
             --set budget..epochs=1: {form}\n\
             --set budget.epochs: {form}\n\
             --set search.sampler = \"randm\": expected one of grid, random, sobol; \
             did you mean \"random\"?\n\
             --set search.space.width.low = 0: expected a whole number from 1 to 4096\n\
             --set serch = {{ policy = \"asha\" }}: unknown key, expected one of study, data, \
             model, search, objective, budget, run; did you mean `search`?"
        )
    );
}

#[test]
fn of_a_parameter_that_is_fixed_and_searched_in_one_place() {
    let both = ["model.width=7", "search.space.width=[1, 2]"];
    let told = "search.space.width: is fixed by model.width as well, expected one of the two";
    assert_eq!(messages(STUDY, "s.toml", &both), format!("--set {told}"));
    let text = study_with("[search.space]", "width = 7\n[search.space]\nwidth = [1, 2]")
        .replace("[search]\nwidth = 7\n", "width = 7\n[search]\n");
    assert!(messages(&text, "s.toml", &[]).ends_with(told));
    assert!(messages(&text, "s.toml", &["study.seed=1"]).ends_with(told));
}

#[test]
fn know_their_line_and_key() {
    let mistakes = parse(&study_with("epochs = 5", "epochs = 0"), "s.toml", &["run.slots=0"]);
    let mistakes = mistakes.unwrap_err();
    let places: Vec<_> = mistakes.iter().map(|mistake| (mistake.line(), mistake.key())).collect();
    assert_eq!(places, [(Some(11), "budget.epochs"), (None, "run.slots")]);
}
