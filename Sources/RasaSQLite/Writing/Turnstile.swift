import CSQLite
import Glibc
import RasaCore

/// Lets processes write in turn. SQLite's own waiting is a series of naps after which whoever asks
/// first wins, so a busy writer starves the others.
///
/// There are two locks. Whoever wants to work first takes the place in front of the door, then the
/// room, and only then leaves the place. Who leaves the room and wants to enter again finds the
/// place taken by the one who waits, who therefore goes first. The kernel drops the locks of a
/// process that dies.
final class Turnstile {
  static let door: off_t = 0
  static let room: off_t = 1

  private let descriptor: Int32
  private let path: String
  private let patience: Duration
  private let clock = ContinuousClock()
  private var nap: UInt32 = 0

  init(database: String, patience: Duration) throws {
    path = database
    self.patience = patience
    unsafe descriptor = open(database + "-turn", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    if descriptor < 0 {
      throw Failure.file(errno, path: database)
        ?? Failure(.storage, "\(database)-turn cannot be opened", mend: "check its folder")
    }
  }

  deinit { close(descriptor) }

  func enter() throws {
    let deadline = clock.now + patience
    try take(Self.door, until: deadline)
    defer { release(Self.door) }
    try take(Self.room, until: deadline)
  }

  func leave() { release(Self.room) }

  func take(_ place: off_t, until deadline: ContinuousClock.Instant) throws {
    nap = 50
    while !set(Int32(F_WRLCK), place) {
      guard errno == EAGAIN || errno == EACCES || errno == EINTR else {
        throw Failure.file(errno, path: path)
          ?? Failure(.storage, "\(path) cannot be locked here", mend: "choose a local disk")
      }
      guard clock.now < deadline else {
        throw Failure(
          .storage, "another process has kept \(path) busy for \(patience.components.seconds) s",
          mend: "wait for it or end it (`fuser \(path)` names it), then run again")
      }
      // Short at first, for a commit takes less than a millisecond; never in step with others.
      usleep(nap + UInt32.random(in: 0..<nap))
      nap = min(nap * 2, 1000)
    }
  }

  func release(_ place: off_t) { _ = set(Int32(F_UNLCK), place) }

  private func set(_ kind: Int32, _ place: off_t) -> Bool {
    csqlite_lock_byte(descriptor, Int16(kind), place) == 0
  }
}
