use super::*;

const MILLIS: fn(u64) -> Duration = Duration::from_millis;

struct Scene {
    view: View,
    start: Instant,
}

impl Scene {
    fn new() -> Scene {
        let own = member("me", 1, &[]);
        Scene { view: View::new(own), start: Instant::now() }
    }

    fn at(&mut self, millis: u64, sightings: &[Sighting]) -> Vec<Change> {
        self.view.look(self.start + MILLIS(millis), sightings.to_vec())
    }

    fn liveness(&self, name: &str) -> Option<(u64, Liveness)> {
        let members = self.view.members();
        let found = members.into_iter().find(|(member, _)| member.name == name);
        found.map(|(member, liveness)| (member.boot, liveness))
    }
}

fn member(name: &str, boot: u64, values: &[(&str, &str)]) -> Member {
    let values = values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Member { name: name.to_owned(), boot, address: format!("{name}:1"), values: values.collect() }
}

fn seen(name: &str, boot: u64, live: bool, values: &[(&str, &str)]) -> Sighting {
    let mut all = member(name, boot, values).values;
    all.insert(ADDRESS_KEY.to_owned(), format!("{name}:1"));
    Sighting { name: name.to_owned(), boot, live, heartbeat: 1, version: 1, values: Some(all) }
}

fn alive(name: &str, boot: u64) -> Sighting {
    seen(name, boot, true, &[])
}

fn dead(name: &str, boot: u64) -> Sighting {
    seen(name, boot, false, &[])
}

fn joined(name: &str, boot: u64) -> Change {
    Change::Joined(member(name, boot, &[]))
}

fn suspected(name: &str, boot: u64) -> Change {
    Change::Suspected { name: name.to_owned(), boot }
}

fn trusted(name: &str, boot: u64) -> Change {
    Change::Trusted { name: name.to_owned(), boot }
}

fn left(name: &str, boot: u64) -> Change {
    Change::Left { name: name.to_owned(), boot }
}

#[test]
fn a_silent_member_is_suspected_and_after_three_quarters_of_a_second_it_has_left() {
    let mut scene = Scene::new();
    assert_eq!(scene.at(0, &[alive("a", 5)]), [joined("a", 5)]);
    assert_eq!(scene.at(50, &[alive("a", 5)]), []);
    assert_eq!(scene.at(1000, &[dead("a", 5)]), [suspected("a", 5)]);
    assert_eq!(scene.liveness("a"), Some((5, Liveness::Suspected)));
    assert_eq!(scene.at(1749, &[dead("a", 5)]), []);
    assert_eq!(scene.at(1750, &[dead("a", 5)]), [left("a", 5)]);
    assert_eq!(scene.at(2050, &[dead("a", 5)]), []);
    assert_eq!(scene.liveness("a"), Some((5, Liveness::Left)));
}

#[test]
fn a_suspected_member_that_is_heard_again_is_trusted() {
    let mut scene = Scene::new();
    scene.at(0, &[alive("a", 5)]);
    assert_eq!(scene.at(10, &[dead("a", 5)]), [suspected("a", 5)]);
    assert_eq!(scene.at(500, &[alive("a", 5)]), [trusted("a", 5)]);
    assert_eq!(scene.at(600, &[dead("a", 5)]), [suspected("a", 5)]);
    assert_eq!(scene.at(1100, &[dead("a", 5)]), []);
}

#[test]
fn a_heartbeat_puts_off_leaving_but_does_not_end_suspicion() {
    let mut scene = Scene::new();
    scene.at(0, &[alive("a", 5)]);
    scene.at(10, &[dead("a", 5)]);
    let beat = Sighting { heartbeat: 2, ..dead("a", 5) };
    assert_eq!(scene.at(600, std::slice::from_ref(&beat)), []);
    assert_eq!(scene.at(1349, std::slice::from_ref(&beat)), []);
    assert_eq!(scene.at(1350, &[beat]), [left("a", 5)]);
}

#[test]
fn a_life_that_returns_after_it_left_joins_again() {
    let mut scene = Scene::new();
    scene.at(0, &[alive("a", 5)]);
    scene.at(10, &[dead("a", 5)]);
    assert_eq!(scene.at(1010, &[dead("a", 5)]), [left("a", 5)]);
    assert_eq!(scene.at(9000, &[alive("a", 5)]), [joined("a", 5)]);
}

#[test]
fn a_goodbye_counts_at_once_and_for_good() {
    let mut scene = Scene::new();
    scene.at(0, &[alive("a", 5)]);
    let goodbye = seen("a", 5, true, &[(STATE_KEY, GOODBYE)]);
    assert_eq!(scene.at(10, std::slice::from_ref(&goodbye)), [left("a", 5)]);
    assert_eq!(scene.at(5000, &[goodbye]), []);
}

#[test]
fn other_states_than_left_are_no_goodbye() {
    let mut scene = Scene::new();
    scene.at(0, &[alive("a", 5)]);
    let draining = [(STATE_KEY, "draining")];
    let updated = Change::Updated(member("a", 5, &draining));
    assert_eq!(scene.at(10, &[seen("a", 5, true, &draining)]), [updated]);
}

#[test]
fn a_newer_boot_replaces_the_older_at_once() {
    let mut scene = Scene::new();
    scene.at(0, &[alive("a", 5)]);
    let both = [alive("a", 6), alive("a", 5)];
    assert_eq!(scene.at(10, &both), [left("a", 5), joined("a", 6)]);
    assert_eq!(scene.at(20, &both), []);
    assert_eq!(scene.liveness("a"), Some((6, Liveness::Alive)));
}

#[test]
fn of_two_lives_seen_first_together_the_newest_counts() {
    let mut scene = Scene::new();
    assert_eq!(scene.at(0, &[alive("a", 6), alive("a", 5), dead("a", 7)]), [joined("a", 6)]);
}

#[test]
fn an_older_boot_counts_only_when_the_newer_has_been_gone_for_long() {
    let mut scene = Scene::new();
    scene.at(0, &[alive("a", 5)]);
    let restarted_with_a_clock_set_back = [dead("a", 5), alive("a", 3)];
    assert_eq!(scene.at(10, &restarted_with_a_clock_set_back), [suspected("a", 5)]);
    assert_eq!(scene.at(1010, &restarted_with_a_clock_set_back), [left("a", 5)]);
    assert_eq!(scene.at(3009, &restarted_with_a_clock_set_back), []);
    assert_eq!(scene.at(3010, &restarted_with_a_clock_set_back), [joined("a", 3)]);
}

#[test]
fn after_a_standstill_nobody_is_suspected_for_two_seconds() {
    let mut scene = Scene::new();
    scene.at(0, &[alive("a", 5), alive("b", 5)]);
    scene.at(10, &[dead("a", 5), alive("b", 5)]);
    let (woken, both) = (scene.start + MILLIS(60_000), [dead("a", 5), dead("b", 5)]);
    scene.view.distrust(woken);
    assert_eq!(scene.at(60_000, &both), []);
    assert_eq!(scene.at(61_999, &both), []);
    assert_eq!(scene.at(62_000, &both), [suspected("b", 5)]);
    assert_eq!(scene.at(63_000, &both), [left("a", 5), left("b", 5)]);
}

#[test]
fn a_goodbye_and_a_newer_boot_are_believed_after_a_standstill() {
    let mut scene = Scene::new();
    scene.at(0, &[alive("a", 5), alive("b", 5)]);
    scene.view.distrust(scene.start);
    let goodbye = seen("a", 5, false, &[(STATE_KEY, GOODBYE)]);
    let changes = scene.at(10, &[goodbye, dead("b", 5), alive("b", 6)]);
    assert_eq!(changes, [left("a", 5), left("b", 5), joined("b", 6)]);
}

#[test]
fn nobody_joins_before_its_address_is_known() {
    let mut scene = Scene::new();
    let nameless = Sighting { values: Some(BTreeMap::new()), ..alive("a", 5) };
    assert_eq!(scene.at(0, &[nameless]), []);
    assert_eq!(scene.at(10, &[alive("a", 5)]), [joined("a", 5)]);
}

#[test]
fn values_are_read_again_only_when_their_version_moves() {
    let mut scene = Scene::new();
    scene.at(0, &[alive("a", 5)]);
    assert_eq!(scene.view.version("a", 5), Some(1));
    assert_eq!(scene.view.version("a", 6), None);
    assert_eq!(scene.at(10, &[Sighting { values: None, ..alive("a", 5) }]), []);
    let next = Sighting { version: 2, ..seen("a", 5, true, &[("slots", "4")]) };
    let updated = Change::Updated(member("a", 5, &[("slots", "4")]));
    assert_eq!(scene.at(20, &[next]), [updated]);
    assert_eq!(scene.view.version("a", 5), Some(2));
}

#[test]
fn one_who_is_forgotten_has_left_and_is_no_longer_listed() {
    let mut scene = Scene::new();
    scene.at(0, &[alive("a", 5), alive("b", 5)]);
    assert_eq!(scene.at(10, &[alive("b", 5)]), [left("a", 5)]);
    assert_eq!(scene.liveness("a"), None);
    assert_eq!(scene.at(20, &[alive("b", 5)]), []);
}

#[test]
fn other_lives_of_ones_own_name_change_nothing() {
    let mut scene = Scene::new();
    assert_eq!(scene.at(0, &[alive("me", 2), dead("me", 0)]), []);
    let update = seen("me", 1, true, &[("slots", "4")]);
    let updated = Change::Updated(member("me", 1, &[("slots", "4")]));
    assert_eq!(scene.at(10, &[update]), [updated]);
    assert_eq!(scene.view.members().len(), 1);
}
