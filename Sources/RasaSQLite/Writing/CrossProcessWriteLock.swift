import CSQLite
import Glibc
import RasaCore

/// A fair write lock between processes. SQLite's own waiting polls with growing sleeps, and whoever polls
/// first wins, so a busy writer starves the others.
///
/// There are two locks: a writer takes the door, then the room, and then releases the door. A writer that
/// leaves the room and wants to enter again finds the door taken by the one that waits, which therefore goes
/// first.
///
/// The kernel holds the locks and drops those of a process that dies. To avoid polling, each lock has a number
/// in the file that changes when the lock is released and wakes a waiter (a futex). The value itself means
/// nothing, so it does not matter what a crash leaves there.
@safe
final class CrossProcessWriteLock {
  static let door: off_t = 0
  static let room: off_t = 1

  private let descriptor: Int32
  private let path: String
  private let patience: Duration
  private let clock = ContinuousClock()
  /// One futex for each lock; nil if the disk has no room for them.
  private let signals: UnsafeMutablePointer<UInt32>?
  private static let places: Int32 = 2
  /// A waiter tries again after this time: a process that dies wakes nobody.
  private static let longestSleep = Duration.milliseconds(5)
  private static let longestNap = Duration.microseconds(500)

  init(database: String, patience: Duration) throws {
    path = database
    self.patience = patience
    // A symbolic link planted here could make us write to any file of this user.
    let file = database + "-turn"
    let opened = unsafe open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
    let reason = errno
    var status = stat()
    let isRegular =
      unsafe opened >= 0 && fstat(opened, &status) == 0
      && status.st_mode & S_IFMT == S_IFREG
    descriptor = opened
    unsafe signals = isRegular ? csqlite_share(opened, Self.places) : nil
    if isRegular { return }
    if opened >= 0 || [ELOOP, EISDIR, ENXIO].contains(reason) {
      throw Failure(
        .storage,
        "\(file) is a link or not a regular file, and the database's locks have to be there",
        suggestion: "check what it is, then remove it; rasa creates it again")
    }
    throw Failure.file(reason, path: database)
      ?? Failure(.storage, "\(file) cannot be opened", suggestion: "check its folder")
  }

  deinit {
    if descriptor < 0 { return }
    if let signals = unsafe signals { unsafe csqlite_unshare(signals, Self.places) }
    close(descriptor)
  }

  func enter(within limit: Duration? = nil) throws {
    try enter(until: clock.now + (limit ?? patience))
  }

  func enter(until deadline: ContinuousClock.Instant) throws {
    let began = clock.now
    try take(Self.door, until: deadline, since: began)
    defer { release(Self.door) }
    try take(Self.room, until: deadline, since: began)
  }

  func leave() { release(Self.room) }

  func take(
    _ place: off_t, until deadline: ContinuousClock.Instant,
    since began: ContinuousClock.Instant = .now
  ) throws {
    while true {
      // Read before trying the lock, so that a release in between ends the sleep at once.
      let signal = unsafe signals.map { unsafe csqlite_shared($0 + Int(place)) }
      if set(Int32(F_WRLCK), place) { return }
      guard errno == EAGAIN || errno == EACCES || errno == EINTR else {
        throw Failure.file(errno, path: path)
          ?? Failure(.storage, "\(path) cannot be locked here", suggestion: "choose a local disk")
      }
      let left = clock.now.duration(to: deadline)
      guard left > .zero else {
        throw Failure(
          .storage, "another process keeps \(path) busy: \(Self.text(waiting: clock.now - began))",
          suggestion: "wait for it or end it (`fuser \(path)` names it), then run again")
      }
      if let signals = unsafe signals, let signal {
        let sleep = min(left, Self.longestSleep).components
        unsafe csqlite_sleep(
          signals + Int(place), signal,
          sleep.seconds * 1_000_000_000 + sleep.attoseconds / 1_000_000_000)
      } else {
        let nap = min(left, Self.longestNap).components
        usleep(UInt32(clamping: nap.attoseconds / 1_000_000_000_000))
      }
    }
  }

  /// How long it has waited.
  private static func text(waiting time: Duration) -> String {
    let milliseconds = time.components.attoseconds / 1_000_000_000_000_000
    let tenths = time.components.seconds * 10 + milliseconds / 100
    return tenths == 0 ? "it was locked" : "waited \(tenths / 10).\(tenths % 10) s"
  }

  func release(_ place: off_t) {
    _ = set(Int32(F_UNLCK), place)
    if let signals = unsafe signals { unsafe csqlite_wake(signals + Int(place)) }
  }

  private func set(_ kind: Int32, _ place: off_t) -> Bool {
    csqlite_lock_byte(descriptor, Int16(kind), place) == 0
  }
}
