//! An operator made of a program that says what a test wants it to say.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use crate::world::World;
use crate::world::mailbox::debian;

/// What it does with each request: answers from a file beside it, and, where `complain` says so, quotes the whole
/// request to standard error and fails.
const PROGRAM: &str = r#"
import datetime, json, os, sys
text = sys.stdin.read()
request, folder = json.loads(text), os.path.dirname(os.path.abspath(__file__))
answers = json.load(open(os.path.join(folder, "answers.json")))
with open(os.path.join(folder, "asked"), "a") as asked:
    asked.write(request["call"] + "\n")
if request["call"] in answers.get("complain", []):
    sys.exit("cannot do this: " + text + "\n\x1b[31m" + text)
answer = answers.get(request["call"], {"error": {"class": "never", "kind": "other", "message": "no"}})
if request["call"] == "preflight":
    now = datetime.datetime.now(datetime.timezone.utc)
    answer = answer | {"operator_time": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
if request["call"] in ("buy", "find"):
    answer = answer | {"key": request["key"]}
if answers.get("quote") and "message" in answer:
    answer = answer | {"message": "refused with " + json.dumps(request["secrets"])}
print(json.dumps({"version": 1} | answer))
"#;

/// Adds `[operator.NAME]` to a world that is not started yet; answers are those of the document.
pub(crate) fn add(world: &mut World, name: &str, answers: &Value, lines: &str) -> PathBuf {
    let folder = world.folder().join(format!("program-{name}"));
    std::fs::create_dir(&folder).unwrap();
    // No program may be asked to spend on a clock that is not the machine's.
    world.real_time = true;
    std::fs::write(folder.join("answers.json"), answers.to_string()).unwrap();
    let program = folder.join("answers.py");
    std::fs::write(&program, format!("#!{}\n{PROGRAM}", debian("python3").display())).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let table = format!(
        "[operator.{name}]\nkind = \"exec\"\nprogram = \"{}\"\ntime_limit = \"30s\"\n{lines}\n",
        program.display()
    );
    world.machine.tables.push_str(&table);
    folder
}

/// The calls that were made so far.
pub(crate) fn calls(folder: &std::path::Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("asked")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
