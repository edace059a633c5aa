import CSystem
import Glibc
import RasaCore

/// A start on its way to the loop and back: the pipes, and the caller who waits.
@safe final class ChildStart: @unchecked Sendable {
  let command: ChildCommand
  private let program: String
  private let pipes: Locked<Pipes>
  private let isDone = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
  private let result = Locked<Result<Child, Failure>?>(nil)

  struct OwnEnds {
    var input: Int32
    var output: Int32
    var error: Int32
  }

  private struct Pipes {
    var theirs: [Int32] = []
    var own: [Int32] = []
    func closeAll() { for descriptor in theirs + own { close(descriptor) } }
  }

  init(_ command: ChildCommand, program: String) throws(Failure) {
    var pipes = Pipes()
    for isInput in [true, false, false] {
      var readEnd: Int32 = -1
      var writeEnd: Int32 = -1
      // The write end does not block.
      let code = unsafe rasa_pipe(&readEnd, &writeEnd)
      guard code == 0 else {
        pipes.closeAll()
        throw Failure(
          .run, "cannot make a pipe for \(program): \(ProgramLookup.text(of: code))",
          suggestion: "raise the limit (ulimit -n) or run fewer things at once")
      }
      if !isInput {
        _ = fcntl(readEnd, F_SETFL, O_NONBLOCK)
        _ = fcntl(writeEnd, F_SETFL, 0)
      }
      pipes.theirs.append(isInput ? readEnd : writeEnd)
      pipes.own.append(isInput ? writeEnd : readEnd)
    }
    self.command = command
    self.program = program
    self.pipes = Locked(pipes)
    unsafe sem_init(isDone, 0, 0)
  }

  deinit {
    pipes.withLock { $0.closeAll() }
    unsafe sem_destroy(isDone)
    unsafe isDone.deallocate()
  }

  // MARK: - The caller

  func wait() -> Result<Child, Failure> {
    while unsafe sem_wait(isDone) != 0, errno == EINTR {}
    return result.withLock { $0 } ?? .failure(Failure(.run, "cannot start \(program)"))
  }

  // MARK: - The loop

  func finish(_ outcome: Result<Child, Failure>) {
    result.withLock { $0 = outcome }
    unsafe sem_post(isDone)
  }

  /// The process and the descriptor that becomes readable at its end.
  func perform() -> Result<(pid_t, Int32), Failure> {
    defer {
      pipes.withLock { pipes in
        for descriptor in pipes.theirs { close(descriptor) }
        pipes.theirs = []
      }
    }
    let variables = command.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let descriptors = pipes.withLock { $0.theirs } + command.inherited
    let limits = command.limits.map(\.systemLimit)
    var process: pid_t = 0
    var end: Int32 = -1
    var failedAtFolder: Int32 = 0
    // Somebody else's child may hold the file open for writing until it is its own program.
    var code = ETXTBSY
    var attempts = 0
    while code == ETXTBSY, attempts < 10 {
      if attempts > 0 { usleep(2_000) }
      attempts += 1
      code = unsafe withCStrings(command.arguments) { arguments in
        unsafe withCStrings(variables) { variables in
          unsafe withCString(command.folder) { folder in
            unsafe descriptors.withUnsafeBufferPointer { descriptors in
              unsafe limits.withUnsafeBufferPointer { limits in
                unsafe program.withCString { program in
                  var child = unsafe rasa_child(
                    program: program, arguments: arguments, environment: variables,
                    folder: folder, descriptors: descriptors.baseAddress,
                    descriptor_count: Int32(descriptors.count), limits: limits.baseAddress,
                    limit_count: Int32(limits.count),
                    is_confined: command.isSupervisor ? 1 : 0)
                  return unsafe rasa_start_child(&child, &process, &end, &failedAtFolder)
                }
              }
            }
          }
        }
      }
    }
    if code == 0 { return .success((process, end)) }
    if failedAtFolder != 0, let folder = command.folder {
      return .failure(
        Failure(
          .configuration,
          "cannot start \(program) in \(folder): \(ProgramLookup.text(of: code))",
          suggestion: "check the folder that the program is to run in"))
    }
    return .failure(ProgramLookup.failure(toStart: program, code: code))
  }

  func takeOwnEnds() -> OwnEnds {
    pipes.withLock { pipes in
      defer { pipes.own = [] }
      return OwnEnds(input: pipes.own[0], output: pipes.own[1], error: pipes.own[2])
    }
  }
}

extension ChildLimit {
  var systemLimit: rasa_child_limit {
    switch self {
    case .coreSize(let most): rasa_child_limit(resource: Int32(RLIMIT_CORE.rawValue), most: most)
    case .fileSize(let most): rasa_child_limit(resource: Int32(RLIMIT_FSIZE.rawValue), most: most)
    case .openFiles(let most): rasa_child_limit(resource: Int32(RLIMIT_NOFILE.rawValue), most: most)
    case .memory(let most): rasa_child_limit(resource: Int32(RLIMIT_AS.rawValue), most: most)
    }
  }
}

private func withCString<Result>(
  _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
) -> Result {
  guard let text else { return body(nil) }
  return unsafe text.withCString { unsafe body($0) }
}

/// A list of C strings: pointers, the last of them null.
private func withCStrings<Result>(
  _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  var pointers = unsafe strings.map { unsafe strdup($0) } + [nil]
  defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
  return unsafe body(&pointers)
}
