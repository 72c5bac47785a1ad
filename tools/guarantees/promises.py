"""What each public operation promises, and what shows it. docs/guarantees.md is made of this.

A row:
  operations  lines of `CLASS ...: METHOD ...`; functions have no class
  death       of whoever calls it, at any instruction, and of a peer
  stop        of a peer (SIGSTOP, a debugger): it is alive, and does nothing
  restart     what the next process finds that takes the place of a dead one
  hostile     what a peer can do that writes any bytes where it may write
  shown       names of subjects of proofs, and of tests, each with its kind: `step`, `campaign`,
              `explore`, `mutate`, `hostile`, `test`. `*` stands for any characters. Names of tests
              are those of ctest. `hostile` may be a subject or a test.
"""

from typing import NamedTuple


class Row(NamedTuple):
    operations: str
    death: str
    stop: str
    restart: str
    hostile: str
    shown: dict


class Section(NamedTuple):
    title: str
    rows: list


SAME = "nobody waits for it"
NONE = "–"
ERROR_OR_HANDLE = "an `Error`, or a handle that can be used"
HOSTILE_CHANNEL = ["bytes changed *", "files cut short, guarded",
                   "bad_input_hostile_test.HostileBytes.BetweenTheStepsOfAChannelGiveAnswers",
                   "bad_input_hostile_test.HostileBytes.WhileAWriterAndReadersAreAtItGiveAnswers",
                   "sharing_hostile_test.*"]
HOSTILE_OPENING = ["one field wrong", "bytes changed between operations",
                   "bad_input_test.FlippedHeaderByte.*"]
HOSTILE_OBJECTS = ["one field wrong", "bytes changed *",
                   "bad_input_hostile_test.HostileBytes.OverTheTableOfNamedObjects*",
                   "hostile_test.HostileObjects.*"]
HOSTILE_MEMFD = ["sealed memories cut short, unguarded",
                 "region_test.MemfdRegion.OfHostileBytesIsAnErrorOrARegionThatCanBeTouched"]
CORE_MODEL = ["latest: 1 writer x 2, 2 readers x 1"]  # it is their core too
CHANNEL_MODELS = ["latest: 1 writer*", "latest: a slot to spare*", "latest: weak memory, ? reader*"]
JOIN_MODELS = ["latest: *joins while it is written"]
WRITER_ROLES = ["roles: two write*", "roles: weak memory, two write",
                "roles: one writes, one reaps", "roles: one waits to write*"]
READER_ROLES = ["roles: two read*", "roles: weak memory, two read*", "roles: one reads by name, *"]
GUESTS = ["guests: *one reads while the writer writes"]
FULL_TABLES = ["bad_input_root_test.FullTmpfs.*", "bad_input_peers_test.FileLimit.*"]

CHANNEL = Section("The latest-value channel", [
    Row("LatestWriter: LatestWriter\nLatestBytesWriter: LatestBytesWriter",
        "its own: the role is held, or it is not; the channel is there, whole, or it is not. Of "
        "the holder: the role is free as soon as it is dead",
        "one that has the role keeps it, and its name is told; stopped while roles change, it "
        "makes this time out",
        "goes on with its predecessor's number and last value",
        ERROR_OR_HANDLE,
        {"step": ["latest create", "latest claim writer", "latest release writer",
                  "guests create channel"],
         "campaign": ["kith mesh*"],
         "explore": WRITER_ROLES,
         "mutate": ["role.cpp", "latest_channel.cpp"],
         "hostile": HOSTILE_OPENING,
         "test": ["latest_test.Latest.SecondWriterIsRefusedByTheNameOfTheFirst",
                  "bad_input_peers_test.StoppedWriter.*", "bad_input_peers_test.StoppedPeer.*"]}),
    Row("LatestWriter LatestBytesWriter: write",
        "committed, or never seen; what was committed before stays. A dead reader's slot was "
        "provided for",
        SAME,
        "the next write is the next number",
        "`committed`, or `damaged`; nothing out of bounds, bounded steps",
        {"step": ["latest write (*"],
         "campaign": ["kith mesh*"],
         "explore": CHANNEL_MODELS + JOIN_MODELS + GUESTS,
         "mutate": ["latest_core.hpp"],
         "hostile": HOSTILE_CHANNEL,
         "test": ["hot_operations_test.*Write*"]}),
    Row("LatestWriter LatestBytesWriter: draft\nDraft: Draft commit\nDraftBytes: bytes commit",
        "committed, or never seen: the half-filled slot is used for a later value",
        SAME,
        "nothing of a draft is inherited",
        "as `write`; readers cannot see it, but who may write the file can",
        {"step": ["latest draft and commit"],
         "explore": CORE_MODEL,
         "hostile": HOSTILE_CHANNEL,
         "test": ["latest_test.Latest.DraftIsInvisibleUntilCommitted", "issues_test.Draft.*",
                  "hot_operations_test.*DraftAndCommit*"]}),
    Row("LatestReader: LatestReader\nLatestBytesReader: LatestBytesReader",
        "its own: the role is held, or it is not. Of a holder: its place is given back, or waits "
        "for its name",
        "one that has the named role keeps it; stopped while roles change, it makes this time out",
        "a named role comes back with what it held, or lets go of it, as the claimant says",
        ERROR_OR_HANDLE + "; a guest writes nothing that members believe",
        {"step": ["latest claim reader", "latest claim named reader", "guest open*",
                  "guests healed by a member"],
         "campaign": ["kith mesh*"],
         "explore": JOIN_MODELS + READER_ROLES + ["roles: one writes, one reads, where *",
                                                  "guests: one forks*", "guests: two read*",
                                                  "guests: one sits*"],
         "mutate": ["role.cpp", "latest_roles.cpp", "latest_channel.cpp", "guests"],
         "hostile": HOSTILE_OPENING + ["sharing_hostile_test.*"],
         "test": ["latest_test.Latest.FullTableGivesUpVacantRolesBeforeItRefuses",
                  "latest_test.Latest.UnnamedRoleOfAKilledReaderIsGivenBack",
                  *FULL_TABLES]}),
    Row("LatestReader LatestBytesReader: acquire\nPinned: Pinned get_if refresh release\n"
        "PinnedBytes: bytes refresh release",
        "its own: one value is held, or none; what it holds is given back, or waits for the named "
        "role. Of the writer: the newest committed value is read",
        SAME + "; what a stopped reader holds stays as it is",
        "see `resume`",
        "a value, perhaps forged and perhaps changing while it is read in place, or `damaged`",
        {"step": ["latest acquire", "latest re-acquire", "latest release", "guest acquire",
                  "guest release"],
         "campaign": ["kith mesh*"],
         "explore": CHANNEL_MODELS + JOIN_MODELS + GUESTS,
         "mutate": ["latest_core.hpp"],
         "hostile": HOSTILE_CHANNEL,
         "test": ["latest_test.Latest.NoValueIsTornAcrossProcesses",
                  "bad_input_peers_test.StoppedReader.*",
                  "hot_operations_test.*Acquire*", "hot_operations_test.*Refresh*"]}),
    Row("LatestReader LatestBytesReader: resume",
        "its own: the value waits on for the role's next holder",
        SAME,
        "the value that the role's dead holder held, intact, once",
        "a value, `empty` or `damaged`",
        {"step": ["latest claim and resume", "guest claim and resume"],
         "explore": ["roles: two read by one name", "roles: weak memory, two read by one name",
                     "roles: one reads by name, *"],
         "hostile": HOSTILE_CHANNEL,
         "test": ["latest_test.Latest.KilledReaderOfANamedRoleComesBackToWhatItHeld",
                  "sharing_guests_test.GuestsTest.KeepANamedRoleAndWhatItHeldBeyondDeath"]}),
    Row("LatestReader LatestBytesReader: read_copy",
        "as `acquire`, and nothing is held afterwards",
        SAME,
        NONE,
        "a private copy that the validator has judged, or `rejected`, or `damaged`",
        {"explore": CORE_MODEL,
         "hostile": HOSTILE_CHANNEL,
         "test": ["latest_test.Latest.ReadCopyAsksTheValidatorAboutTheCopy",
                  "hot_operations_test.*ReadCopy*"]}),
    Row("LatestReader LatestBytesReader: has_newer wait_newer",
        "of the writer, between its commit and its wake: told a tenth of a second later at most",
        "of the writer: times out",
        "who takes the writer's role wakes those who wait",
        "a false answer, or one as late as the deadline; never later",
        {"step": ["latest wait (killed asleep)", "latest write (waking a sleeper)"],
         "explore": ["latest: *a reader sleeps*"],
         "mutate": ["latest_reader.cpp"],
         "hostile": HOSTILE_CHANNEL,
         "test": ["latest_test.Latest.Waiting*", "hot_operations_test.*WaitForAValue*",
                  "hot_operations_test.*LookForANewer*"]}),
    Row("LatestReader LatestBytesReader: retire_role",
        "its own, when it closes: the role is held, vacant, or free; the next to come finds out",
        "a role that a stopped process has stays its own",
        "the name is gone, if it came to that",
        "the role's words may make no sense afterwards; nothing else is touched",
        {"step": ["latest release reader", "latest release named reader", "guest leave*"],
         "explore": ["roles: two read by one name"],
         "test": ["latest_test.Latest.RetiredRoleLeavesNoName"]}),
    Row("LatestWriter LatestBytesWriter: last readers_joined is_orphaned\n"
        "LatestReader LatestBytesReader: writer_liveness is_orphaned\n"
        "Pinned PinnedBytes: commit_time",
        "the dead count as dead once the kernel has taken them apart",
        "the stopped are alive",
        "tells what is so now",
        "a false answer",
        {"explore": ["roles: one writes, one asks for writers",
                     "roles: one reads, one counts readers",
                     "guests: one reads, one removes *"],
         "mutate": ["guests"],
         "hostile": HOSTILE_CHANNEL,
         "test": ["latest_test.Latest.WaitingEndsAtTheDeadlineAndWhenTheChannelIsRemoved",
                  "latest_test.Latest.CommitTimeIsKeptIfAskedFor",
                  "bad_input_peers_test.ForkedChild.*"]}),
])

REGION = Section("Regions", [
    Row("Region: create open open_or_create reattach",
        "there is a whole region under the name, or none; nothing else is left",
        "a stopped creator is in nobody's way; a stopped remover holds up `open_or_create` for a "
        "second, or until its deadline",
        "finds what the dead one left in it",
        ERROR_OR_HANDLE,
        {"step": ["region create", "region open"],
         "explore": ["region: create against create", "region: open_or_create *",
                     "region: created over a dead creator's", "region: its place is taken twice",
                     "region: two administer", "region: opened by one who forks"],
         "mutate": ["regions"],
         "hostile": HOSTILE_OPENING,
         "test": ["region_test.Region.OpenOrCreateRacesEndInOneRegion",
                  "issues_test.OpenOrCreate.*", "no_unnamed_files_test.*", *FULL_TABLES]}),
    Row("Region: get bytes",
        "the bytes are as the dead one left them: each atomic whole",
        SAME,
        "the bytes are still there",
        "any bytes, which T must bear; a truncated file ends the process, unless guarded",
        {"test": ["region_test.Region.AtomicIntIsShared", "os_test.TruncationGuardTest.*",
                  "hot_operations_test.HotOperationsOfRegions.*"]}),
    Row("RegionHandle: close",
        "by the region's lifetime: it waits for the next user, or is gone, whole either way",
        "a stopped user is a user",
        "finds a region that was to stay",
        "who may write the domain can remove any file in it",
        {"step": ["region close (last member)", "region close (creator)"],
         "explore": ["region: the last of two leaves", "region: its creator dies"],
         "test": ["region_test.Region.OfLifetime*"]}),
    Row(": remove_object",
        "the region stands, or its name is gone; those attached keep their memory and are told",
        "a stopped user is a user: `in_use`, unless by force",
        "removes what the dead remover did not",
        "an `Error`, and the file stays, or it is removed",
        {"step": ["region remove", "region remove --force", "guests remove channel"],
         "explore": ["region: removal by force against itself",
                     "region: open_or_create against removal",
                     "region: listed while its directory goes",
                     "guests: one * removes *"],
         "mutate": ["regions", "guests"],
         "hostile": HOSTILE_OPENING,
         "test": ["region_test.Region.RemovalIsRefusedWhileInUseAndForcedRemovalOrphans",
                  "bad_input_test.TruncatedFile.*"]}),
    Row("RegionHandle: is_orphaned open_descriptor",
        "of the creator, where the region was to live with it: orphaned",
        "the stopped are alive",
        "tells what is so now",
        "a false answer",
        {"test": ["region_test.Region.OutlivesThePlainRemovalOfItsFile",
                  "region_test.Region.HandsOutItsDescriptorOnDemand"]}),
    Row("ObjectRegion: create open open_or_create create_object find_or_create",
        "the object is there, whole, or it is not, and its place is used for the next",
        "one that was stopped while it created makes others time out",
        "finds every object that was created",
        "an `Error`, or an object inside of the region",
        {"step": ["object create"],
         "explore": ["objects: two create *"],
         "mutate": ["object_region.cpp"],
         "hostile": HOSTILE_OBJECTS,
         "test": ["region_test.ObjectRegion.RacingCreatorsGetOneObject"]}),
    Row("ObjectRegion: find object_names",
        "finds whole objects only",
        SAME,
        "finds every object that was created",
        "an object inside of the region, or none",
        {"step": ["object create"],
         "hostile": HOSTILE_OBJECTS,
         "test": ["region_test.ObjectRegion.*"]}),
    Row("MemfdRegion: create open receive",
        "nothing is left; a receiver gets all of it, or an error",
        "`receive` waits until its deadline",
        "has to be sent it again",
        "an `Error`, or a region whose size nobody can change",
        {"step": ["memfd region create and send"],
         "hostile": HOSTILE_MEMFD,
         "test": ["region_test.MemfdRegion.*"]}),
    Row("MemfdRegion: get bytes\nMemfdRegionHandle: descriptor is_size_sealed",
        "the bytes are as the dead one left them",
        SAME,
        NONE,
        "any bytes, where others may write; none where only the creator does",
        {"hostile": HOSTILE_MEMFD,
         "test": ["region_test.MemfdRegion.OfItsCreatorAloneIsReadByAllOthersAndWrittenByNone"]}),
    Row(": guard_truncation\nRegionHandle MemfdRegionHandle MappedBytes: has_lost_pages",
        NONE, NONE, NONE,
        "lost pages read as zeros, and the region or memory says so",
        {"hostile": ["files cut short, guarded",
                     "os_test.TruncationGuardTest.LostPagesReadAsZerosAndAreTold",
                     "sharing_hostile_test.*WhoCutsFilesShortDisturbsNoMember"],
         "test": ["os_test.TruncationGuardTest.*"]}),
])

DOMAIN = Section("Domains and members", [
    Row("Domain: open open_or_create remove_if_empty exists is_orphaned names",
        "a directory holds nothing of the dead",
        SAME,
        "finds the same directory",
        "a link, a squatter's and one that others may write are refused",
        {"step": ["join (first of the domain)", "leave (last of the domain)"],
         "test": ["bad_input_domain_test.*", "bad_input_root_test.*", "sharing_members_test.*",
                  "issues_test.DomainRace.*"]}),
    Row("Member: join reaped_at_joining",
        "a member, soon found dead, or none",
        "one stopped while it joins makes others time out",
        "is another member, with an id of its own; it reaps what it left before",
        ERROR_OR_HANDLE + "; a full table is an `Error`",
        {"step": ["join (first of the domain)", "join (beside others)",
                  "leave (last of the domain)", "member join (another user of the group)"],
         "campaign": ["kith mesh*"],
         "explore": ["members: two live and die*", "members: one forks*"],
         "hostile": ["one field wrong", "bytes changed *", "bad_input_hostile_test.*Member*"],
         "test": ["member_test.Member.*", "bad_input_domain_test.MemberTable.*"]}),
    Row("Member: reap_dead",
        "its own: the next reaper goes on. Of others: what they held comes back once",
        "delayed by a tenth of a second in all by objects that stopped processes hold",
        NONE,
        "no more than the work for one table; leads nobody out of it",
        {"step": ["reap"],
         "campaign": ["kith mesh*"],
         "explore": ["members: one lives, *", "members: two live and die, a reaper*"],
         "mutate": ["members"],
         "hostile": ["one field wrong", "bytes changed *",
                     "bad_input_hostile_test.HostileBytes.InAnAttachList*",
                     "bad_input_hostile_test.HostileBytes.InTheMemberTable*",
                     "hostile_test.HostileMemberTable.*"],
         "test": ["issues_test.ReapRace.*", "issues_test.ReapPatience.*"]}),
    Row("Member: liveness members wait_for_death id",
        "`dead` as soon as the kernel has taken it apart, and never before",
        "`alive`",
        "the id of the dead never comes back to life",
        "may keep a dead member alive by holding its lock; never the reverse",
        {"explore": ["members: two live and die", "members: one lives, one reaps",
                     "members: one forks*"],
         "hostile": ["bytes changed *", "bad_input_hostile_test.HostileBytes.OverTheMemberTable*"],
         "test": ["member_test.Member.IsDeadOnceKilledAndNotBefore",
                  "member_test.Member.IsAliveWhileStopped", "bad_input_peers_test.VforkChild.*",
                  "hot_operations_test.HotOperationsOfMembers.*"]}),
])

MEMORY = Section("Memory without a header", [
    Row("PosixShm FileMemory HugeFile: create",
        "a whole memory stands under the name, or none",
        SAME,
        "`already_exists`, or creates it",
        "a name may be taken by a stranger: `already_exists`",
        {"step": ["posix create", "file create"],
         "test": ["memory_test.*NamedMemoryConformance*", "memory_test.HugeMemory*"]}),
    Row("PosixShm FileMemory HugeFile: open descriptor\nFileMemory: flush",
        "the bytes are as the dead one left them",
        SAME,
        "finds the bytes",
        "an `Error`, or bytes that a writer of the file may change or truncate",
        {"test": ["memory_test.*NamedMemoryConformance*", "memory_test.*FileConformance*",
                  "memory_test.FileMemory.*", "foreign_memory_test.*"]}),
    Row("PosixShm FileMemory HugeFile: remove",
        "the name is there, or gone; those attached keep the bytes",
        SAME,
        "removes it",
        "who may write the directory can remove it",
        {"step": ["posix remove", "file remove"],
         "test": ["memory_test.*NamedMemoryConformance*"]}),
    Row("SysvShm: create create_private create_until_last_user open open_id",
        "a whole segment, or none; killed within a few system calls, one that `abandoned()` lists",
        SAME,
        "finds the segment by its key",
        "an `Error`, or bytes that others may change; nobody can change the size",
        {"step": ["sysv create", "sysv create until last user"],
         "test": ["memory_test.SysvShm*", "memory_test.SysvKey.*"]}),
    Row("SysvShm: remove remove_id facts is_marked_for_destruction abandoned",
        "the key is there, or gone; those attached keep the bytes",
        "a stopped user is attached",
        "removes it",
        "who has the right can remove it",
        {"step": ["sysv remove"],
         "test": ["memory_test.SysvShm*"]}),
    Row("SysvKey: of_path",
        NONE, NONE,
        "the same key, as long as the file is the same",
        "other files may have the same key: `create` and `open` tell",
        {"test": ["memory_test.SysvKey.*"]}),
    Row("Memfd: create create_huge open descriptor seal seal_size seals is_size_sealed page_size",
        "nothing is left",
        SAME,
        "has to be sent it again",
        "cannot truncate or, if so sealed, write what was sealed; opening demands seals",
        {"step": ["memfd region create and send"],
         "test": ["memory_test.Memfd.*", "memory_test.Huge*"]}),
    Row("MappedBytes: bytes writable_bytes",
        "the bytes are as the dead one left them, half-written ones too",
        SAME,
        "the bytes are still there, where the kind has a name",
        "any bytes; a truncated file ends the process, unless it is a sealed `Memfd` or a "
        "`SysvShm`",
        {"test": ["memory_test.*MemoryConformance*", "os_test.TruncationGuardTest.*"]}),
    Row("MemorySocket: pair connect connect_abstract of_descriptor peer",
        "of a listener: its path is taken over by the next one; its clients are told",
        "waits until the deadline",
        "connects anew",
        "a peer of another user is refused, unless asked for",
        {"step": ["listen at a path"],
         "test": ["memory_test.MemorySocket.*"]}),
    Row("MemorySocket: send send_descriptor receive receive_descriptor",
        "a memory arrives whole, or not at all; who waits is woken",
        "waits until the deadline",
        "what the dead one sent can still be received",
        "a malformed message is an `Error` and leaves no descriptor open",
        {"step": ["memfd region create and send"],
         "hostile": ["memory_test.MemorySocket.MalformedMessagesAreErrorsAndLeakNoDescriptor",
                     "memory_test.MemorySocket.RandomMessagesAreErrorsToo"],
         "test": ["memory_test.MemorySocket.*"]}),
    Row("MemoryListener: at at_abstract accept close",
        "its path stays and refuses connections until the next listener takes it over; an abstract "
        "name is free",
        "a stopped listener keeps its path",
        "takes over the path",
        "strangers are turned away and counted",
        {"step": ["listen at a path"],
         "test": ["memory_test.MemoryListener.*"]}),
    Row(": advise_huge_pages huge_bytes shared_huge_page_policy huge_page_sizes",
        "nothing is held", SAME, NONE, "looks at addresses, not at bytes",
        {"test": ["memory_test.Huge*"]}),
])

HOSTILE_LOCK = ["one field wrong", "bytes changed *", "files cut short, guarded"]
LOCK_CAMPAIGN = ["one mutex, random kills and stops"]
KEPT = "a stopped holder keeps it; who waits for it times out, or waits"

LOCKS = Section("Locks", [
    Row("Mutex: Mutex\nSharedMutex: SharedMutex",
        "its own: the mutex is there, whole, or it is not. Of its holder: the next one is told",
        KEPT,
        "opens it, or creates it",
        ERROR_OR_HANDLE,
        {"step": ["mutex: open or create", "mutex: open beside its holder"],
         "campaign": LOCK_CAMPAIGN,
         "hostile": HOSTILE_LOCK,
         "test": ["peers_locks_test.PeersLocks.CreatorKilled*",
                  "peers_locks_test.PeersLocks.BytesOfSomethingElse*",
                  "issues_test.Mutex.ThatCannotBeOpenedLeavesNothingBehind",
                  "sync_test.SharedMutex.*"]}),
    Row("Mutex SharedMutex: acquire try_acquire lock try_lock try_lock_for try_lock_until",
        "its own: held under its name, or not held. Of the holder: it goes to the next one, once, "
        "with `owner_died`, as soon as the holder is dead",
        KEPT,
        "is told of its own death like anybody else",
        "an answer, perhaps a false one: held by two, or by nobody who lives. As late as its "
        "deadline, never later; without one, it may wait as long as the bytes say",
        {"step": ["mutex: acquire *"],
         "campaign": LOCK_CAMPAIGN,
         "explore": ["mutex: *"],
         "mutate": ["mutex_core.hpp"],
         "hostile": HOSTILE_LOCK,
         "test": ["hot_operations_test.HotOperationsOfAMutex.*", "sync_test.Mutex.*",
                  "peers_locks_test.PeersLocks.*", "member_test.DeathWatch.*", "os_test.LastWord.*",
                  "sharing_containers_test.Containers.*LockAgainstEachOther"]}),
    Row("Mutex: release\nMutex SharedMutex: unlock",
        "its own: given back, or held by a dead one. Somebody asleep is woken, or wakes by itself "
        "a tenth of a second later",
        SAME,
        NONE,
        "`released`, `not_owner` or `retired`; nothing else is touched",
        {"step": ["mutex: release", "mutex: release with somebody asleep",
                  "mutex: acquire and release again (recursive)"],
         "campaign": LOCK_CAMPAIGN,
         "explore": ["mutex: *"],
         "hostile": HOSTILE_LOCK,
         "test": ["hot_operations_test.HotOperationsOfAMutex.*",
                  "peers_locks_test.PeersLocks.UnlockByAStrangerIsRefused"]}),
    Row("Mutex SharedMutex: declare_consistent\nMutex: retire check",
        "its own: declared or retired, or the next one is told of a death",
        SAME,
        NONE,
        "an answer",
        {"step": ["mutex: declare consistent", "mutex: retire"],
         "explore": ["mutex: 3 members*"],
         "hostile": HOSTILE_LOCK,
         "test": ["sync_test.Mutex.*"]}),
    Row("Mutex: close\nSharedMutex: release",
        "its own, while holding it: the next one is told. Of the last one of a domain: nothing is "
        "left",
        SAME,
        NONE,
        "nothing else is touched",
        {"step": ["mutex: close*", "mutex: reap a dead holder"],
         "hostile": HOSTILE_LOCK,
         "test": ["peers_locks_test.PeersLocks.Closed*", "sync_test.Mutex.ClosingTheLast*"]}),
    Row("Mutex SharedMutex: facts is_orphaned attached\n: list_locks find_deadlocks",
        "nothing is held: looking takes no lock",
        "shown as its holder",
        NONE,
        "a false answer",
        {"hostile": HOSTILE_LOCK,
         "test": ["inspect_test.Locks.*", "sync_test.SharedMutex.Knows*"]}),
])

TOOLS = Section("Looking, and cleaning up", [
    Row(": clean_domain",
        "its own: the next one goes on. Of others: what they held comes back",
        "the stopped are alive and keep what they have",
        "named roles stay for their next holders, unless they are to be dropped",
        "no more than one pass over the domain; what makes no sense is told and left",
        {"step": ["reap", "guests healed by a member"],
         "campaign": ["kith mesh*"],
         "explore": ["roles: one reads by name, one cleans"],
         "hostile": HOSTILE_OPENING + ["sharing_hostile_test.*",
                                       "hostile_test.HostileGuest.*"],
         "test": ["mesh_test.Mesh.CleanRemovesWhatTheKilledLeft", "no_unnamed_files_test.*",
                  "command_test.*"]}),
    Row(": list_objects object_view latest_facts list_members list_domains domain_facts",
        "nothing is held: looking takes no lock",
        "shown as stopped",
        NONE,
        "a false answer, or a `problem` that says why there is none",
        {"hostile": HOSTILE_OPENING,
         "test": ["command_test.*", "inspect_test.DomainFacts.*",
                  "bad_input_test.FileOfAStranger.*"]}),
    Row(": list_foreign foreign_view remove_foreign",
        "an object is there, or gone",
        "a stopped user is a user",
        NONE,
        "a false answer",
        {"test": ["inspect_test.Foreign.*", "command_test.*"]}),
    Row("ProcessSurvey: of users_of users_of_segment seen unseen\n: process_state",
        "missing from the next survey",
        "shown as stopped",
        NONE,
        "names are made printable",
        {"test": ["inspect_test.MapLine.*", "inspect_test.Smaps.*", "inspect_test.Stat.*",
                  "inspect_test.OneLine.*", "command_test.*"]}),
])

# Classes that a program knows by other names.
KNOWN_AS = {
    "RegionHandle": "`Region`, `ObjectRegion`",
    "MemfdRegionHandle": "`MemfdRegion`",
    "MemfdBytes": "`MemfdRegion<>`",
    "MappedBytes": "every kind of memory",
}

SECTIONS = [CHANNEL, REGION, DOMAIN, MEMORY, LOCKS, TOOLS]

# These read what their process keeps for itself, or text: no other process is asked, none can
# change the answer.
PRIVATE = """
LatestWriter LatestBytesWriter: sequence
LatestBytesWriter LatestBytesReader: payload_max
Draft DraftBytes Pinned PinnedBytes: answer
Pinned PinnedBytes: sequence
Region MemfdBytes: size
RegionHandle: name domain created_here mapped
MemfdRegionHandle: creator_pid
Domain: standard at path options is_private_default
Member: domain
Rights: from_text are_given text
Mutex: created_ns
SharedMutex: created_ms
PosixShm FileMemory HugeFile SysvShm: name
HugeFile: page_size
SysvShm: id
SysvKey: of_number number text is_of_path
MappedBytes: size is_writable identity access
MemorySocket MemoryListener: number
MemoryListener: turned_away
: foreign_name parse_foreign_name
: holds to_string
"""
