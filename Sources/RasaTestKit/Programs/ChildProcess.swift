import CSystem
import Glibc
import RasaCore

/// A spawned program. Its creator must wait for it: a child cannot be forgotten.
struct ChildProcess: Sendable {
  let id: pid_t

  /// `descriptors` become the child's 0, 1, 2 …; nothing else is inherited. With a terminal path
  /// the child leads a session of its own with that controlling terminal.
  static func spawn(
    _ program: String, _ arguments: [String], environment: [String: String], folder: String?,
    descriptors: [Int32] = [], terminal: String? = nil
  ) throws(Failure) -> ChildProcess {
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    defer {
      unsafe posix_spawn_file_actions_destroy(&actions)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    if let folder { unsafe rasa_spawn_change_folder(&actions, folder) }
    if let terminal {
      unsafe posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0)
      unsafe posix_spawn_file_actions_adddup2(&actions, 0, 1)
      unsafe posix_spawn_file_actions_adddup2(&actions, 0, 2)
    }
    for (number, descriptor) in descriptors.enumerated() {
      unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
    }
    unsafe rasa_spawn_close_from(&actions, 3)

    // The test process may ignore or block signals that the program must receive as usual.
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe sigfillset(&signals)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    let group = terminal == nil ? Int16(POSIX_SPAWN_SETPGROUP) : rasa_spawn_session_flag()
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF) | group)

    var id = pid_t()
    let texts = [[program] + arguments, environment.map { "\($0.key)=\($0.value)" }]
    var lists = unsafe texts.map { unsafe $0.map { unsafe strdup($0) } + [nil] }
    let status = unsafe posix_spawnp(&id, program, &actions, &attributes, &lists[0], &lists[1])
    for list in unsafe lists.indices {
      while let text = unsafe lists[list].popLast() { unsafe free(text) }
    }
    guard status == 0 else {
      throw Failure(.run, "cannot start \(program): \(unsafe String(cString: strerror(status)))")
    }
    return ChildProcess(id: id)
  }

  /// Waits for the end; returns the exit code as a shell does, 128 and more for signals.
  ///
  /// At the deadline, in monotonic nanoseconds, the program and everything it started are killed.
  func wait(until deadline: UInt64) -> Int32? {
    while monotonicNanoseconds() < deadline {
      switch look() {
      case .running: usleep(500)
      case .ended(let code): return code
      case .unknown: return nil
      }
    }
    killAll()
    wait()
    return nil
  }

  enum Standing { case running, ended(Int32), unknown }

  /// Records the end, if there is one. From then on the process ID may be another program's.
  func look() -> Standing {
    var status: Int32 = 0
    switch unsafe waitpid(id, &status, WNOHANG) {
    case id: return .ended(exitCode(status))
    case 0: return .running
    default: return .unknown
    }
  }

  /// Waits until the program is stopped; false if it has ended instead.
  func waitUntilStopped() -> Bool {
    var information = unsafe siginfo_t()
    while true {
      let code = unsafe waitid(
        P_PID, id_t(id), &information, WSTOPPED | WEXITED | Int32(WNOWAIT))
      if code == 0 { return unsafe information.si_code == Int32(CLD_STOPPED) }
      if errno != EINTR { return false }
    }
  }

  @discardableResult
  func wait() -> Int32 {
    var status: Int32 = 0
    while unsafe waitpid(id, &status, 0) < 0, errno == EINTR {}
    return exitCode(status)
  }

  private func exitCode(_ status: Int32) -> Int32 {
    let signal = status & 0x7F
    return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
  }

  func signal(_ number: Int32) { kill(id, number) }
  /// The whole process group, so that no grandchild is left behind.
  func killAll() { kill(-id, SIGKILL) }
}
