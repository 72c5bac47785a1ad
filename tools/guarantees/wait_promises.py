"""What events, semaphores, barriers, conditions and waits for several promise; see promises.py."""

from row import Row, Section

SAME = "nobody waits for it"
NONE = "–"
KEPT = "a stopped holder keeps it; who waits for it times out, or waits"
HOSTILE_LOCK = ["one field wrong", "bytes changed *", "files cut short, guarded"]
WOKEN = "somebody asleep is woken, or wakes by itself a tenth of a second later"
WAITED = "an answer, perhaps a false one; as late as its deadline, never later"

WAITS = Section("Events, semaphores, barriers and conditions", [
    Row("Event: Event wait set reset is_set",
        "its own: it is set, or it is not; let by, or not. Of one who sets: " + WOKEN +
        ". Of one who waits: nobody else loses a wake",
        SAME,
        "opens it as it stands",
        WAITED,
        {"step": ["event: *"], "explore": ["event: *"],
         "mutate": ["event_count.hpp", "event_core.hpp"],
         "hostile": HOSTILE_LOCK,
         "test": ["sync_waits_test.Event.*", "hot_operations_test.HotOperationsOfWhat*"]}),
    Row("CountingSemaphore: CountingSemaphore acquire try_acquire release count",
        "its own: counted once, or not; taken, or not. What the dead took is used up. Of one who "
        "releases: " + WOKEN,
        SAME,
        "opens it as it stands",
        WAITED,
        {"step": ["counting semaphore: *"], "explore": ["counting semaphore: *"],
         "mutate": ["event_count.hpp", "counting_core.hpp"],
         "hostile": HOSTILE_LOCK, "test": ["sync_waits_test.CountingSemaphore.*"]}),
    Row("Semaphore: Semaphore acquire try_acquire release permits held",
        "its own: held under its name, or not held. Of a holder: each permit comes back once, and "
        "who takes it is told `owner_died`; " + WOKEN,
        KEPT,
        "is told of its own death like anybody else",
        WAITED + "; a permit may be held by two, or by nobody who lives",
        {"step": ["semaphore: *"], "explore": ["semaphore: *"],
         "mutate": ["event_count.hpp", "semaphore_core.hpp"],
         "hostile": HOSTILE_LOCK, "test": ["sync_waits_test.Semaphore.*"]}),
    Row(": wait_any\nAnyAnswer: took\nWaitable: Waitable object",
        "its own: one of them is taken, under its name, or none. Of a holder: its mutex or permit "
        "comes with `owner_died`. Of one who waits, or is woken for one object and takes another: "
        "nobody else loses a wake",
        KEPT,
        NONE,
        WAITED + "; which one was taken is said of what stands there then",
        {"step": ["any: *"], "explore": ["any: *", "interrupted, *"],
         "mutate": ["event_count.hpp", "mutex_core.hpp"],
         "hostile": HOSTILE_LOCK,
         "test": ["sync_waits_test.WaitAny.*", "sync_waits_test.AnyWait.*",
                  "sync_waits_test.Interrupted.*", "hot_operations_test.HotOperationsOfWhat*"]}),
    Row("Barrier: Barrier arrive_and_wait leave parties phase",
        "its own: it sits, or it does not; it has arrived, or it has not. Of a party: the "
        "others go on, and are told `party_died` until another sits there",
        "one that is stopped is waited for",
        "sits down, and takes part in the phase that is not over",
        WAITED,
        {"step": ["barrier: *"], "explore": ["barrier: *"],
         "mutate": ["event_count.hpp", "barrier_core.hpp"],
         "hostile": HOSTILE_LOCK, "test": ["sync_waits_test.Barrier.*"]}),
    Row("Condition: Condition wait notify_one notify_all",
        "of one who was to notify: who waits looks for itself a tenth of a second later. Of "
        "one who waits: nobody else loses a wake. Of the mutex's holder: who waits is told so",
        "of the mutex's holder: `mutex_busy` when the deadline has passed",
        NONE,
        WAITED,
        {"step": ["condition: *"], "explore": ["condition: *"],
         "mutate": ["event_count.hpp"],
         "hostile": HOSTILE_LOCK, "test": ["sync_waits_test.Condition.*"]}),
])
