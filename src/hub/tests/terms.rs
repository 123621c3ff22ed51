//! Modes, rates and policies.

use super::*;
use crate::wire::terms::{Mode, Policy};

/// A subscriber of A under these terms whose sink takes `room` frames, and what comes of it.
async fn slow(f: &mut Fixture, terms: Terms, room: usize) -> (List, SubscriberId) {
    let list = List::with_room(room);
    let id = f.subscribe_on(&list, &["A"], Start::Fresh, terms);
    for n in 1..=50 {
        f.publish(A, n..=n);
        f.settle().await;
    }
    (list, id)
}

fn impatient() -> Patience {
    Patience {
        max_behind: 20,
        slow_after: Duration::from_secs(2),
    }
}

#[test]
fn one_who_is_too_far_behind_gets_the_latest_and_is_told_the_rest() {
    story(async || {
        let mut f = Fixture::of(&["A", "B"], 1, impatient());
        let (list, id) = slow(&mut f, Terms::default(), 3).await;
        list.set_room(usize::MAX);
        f.hub.drained(id);
        assert_eq!(list.types(), ["snapshot", "ticks", "ticks", "ticks", "lag"]);
        assert_eq!(list.ns(), [1, 2, 50]);
        assert_eq!(list.lines_from(4)[0]["conflated"], 47);
        assert_eq!((list.settled(), f.hub.unsubscribe(id)), (50, 0));
    });
}

#[test]
fn one_whose_sink_was_full_for_too_long_is_slow_too() {
    story(async || {
        let mut f = Fixture::of(
            &["A", "B"],
            1,
            Patience {
                max_behind: 1_000,
                ..impatient()
            },
        );
        let (list, id) = slow(&mut f, Terms::default(), 3).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        list.set_room(usize::MAX);
        f.hub.drained(id);
        assert_eq!(list.types().last().unwrap(), "lag");
    });
}

#[test]
fn one_who_was_full_for_a_moment_gets_every_tick() {
    story(async || {
        let mut f = Fixture::of(
            &["A", "B"],
            1,
            Patience {
                max_behind: 1_000,
                ..impatient()
            },
        );
        let (list, id) = slow(&mut f, Terms::default(), 3).await;
        list.set_room(usize::MAX);
        f.hub.drained(id);
        assert_eq!(list.ns(), (1..=50).collect::<Vec<_>>());
    });
}

#[test]
fn catching_up_after_a_resume_is_not_slow() {
    story(async || {
        let mut f = Fixture::of(&["A", "B"], 1, impatient());
        f.publish(A, 1..=100);
        let list = List::with_room(1);
        let id = f.subscribe(&list, &["A"], Start::After(f.tape.head().at(0)));
        tokio::time::sleep(Duration::from_secs(5)).await;
        list.set_room(usize::MAX);
        f.hub.drained(id);
        assert_eq!(list.ns(), (1..=100).collect::<Vec<_>>());
    });
}

#[test]
fn who_wants_to_be_closed_when_slow_is_closed() {
    story(async || {
        let mut f = Fixture::of(
            &["A", "B"],
            1,
            Patience {
                max_behind: 1_000,
                ..impatient()
            },
        );
        let terms = Terms {
            policy: Policy::Disconnect,
            ..Terms::default()
        };
        let (list, _) = slow(&mut f, terms, 3).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!list.0.closed.get(), "not yet");
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(list.0.closed.get());
    });
}

#[test]
fn a_rate_is_kept_over_ten_seconds() {
    story(async || {
        let mut f = Fixture::new();
        let list = List::endless();
        let terms = Terms {
            mode: Mode::Conflate,
            max_rate: 5,
            policy: Policy::Conflate,
        };
        f.subscribe_on(&list, &["A"], Start::Fresh, terms);
        for n in 1..=1_000 {
            f.publish(A, n..=n);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let frames = list.types().iter().filter(|kind| *kind == "ticks").count();
        assert!(
            (49..=51).contains(&frames),
            "{frames} frames in ten seconds"
        );
        assert_eq!(list.settled(), *list.ns().last().unwrap());
    });
}

#[test]
fn conflating_subscribers_of_a_set_share_what_is_encoded() {
    story(async || {
        let mut f = Fixture::new();
        let terms = Terms {
            mode: Mode::Conflate,
            max_rate: 10,
            policy: Policy::Conflate,
        };
        let lists: Vec<_> = (0..50).map(|_| List::endless()).collect();
        for list in &lists {
            f.subscribe_on(list, &["A"], Start::Fresh, terms);
        }
        f.settle().await;
        f.hub.take_facts();
        for n in 1..=100 {
            f.publish(A, n..=n);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let encodes = f.hub.take_facts().encodes[Encoding::Ndjson as usize];
        assert!(encodes <= 12, "{encodes} encodes for ten frames");
        assert!(lists.iter().all(|list| list.ns() == lists[0].ns()));
    });
}
