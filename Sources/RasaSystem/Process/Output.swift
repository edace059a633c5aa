import CSystem
import Glibc
import RasaCore
import Synchronization

/// The reader of a pipe or the terminal is gone, so the program ends silently, as others do that SIGPIPE
/// ends.
package struct OutputClosed: Error, Hashable {
  package init() {}
  package static let exitCode: Int32 = 128 + SIGPIPE
}

/// Writes to a descriptor without buffering, so that a token is visible as soon as it arrives.
///
/// Throws `OutputClosed` if the reader is gone, `CancellationError` if the reader takes nothing and the
/// program has been asked to end, and `Failure` for everything else.
package struct Output: Sendable {
  package let descriptor: Int32
  private let past: Past
  private let place: Place
  /// The output whose lines must not be broken by what is written here.
  private let neighbour: (past: Past, place: Place)?

  package init(descriptor: Int32) { self.init(descriptor: descriptor, beside: nil) }

  private init(descriptor: Int32, beside other: Output?) {
    self.descriptor = descriptor
    past = Past()
    place = Place(descriptor)
    neighbour = other.map { ($0.past, $0.place) }
  }

  package static let standard = Output(descriptor: STDOUT_FILENO)
  /// If standard output is the same file or pipe, what is written here begins a new line; apart from
  /// that the two do not affect each other.
  package static let error = Output(descriptor: STDERR_FILENO, beside: standard)

  /// Whether anything has been written.
  package var isBegun: Bool { past.isBegun.load(ordering: .relaxed) }

  package func write(_ text: String) throws {
    var text = text
    try text.withUTF8 { try unsafe write(UnsafeRawBufferPointer($0)) }
  }

  package func write(_ bytes: [UInt8]) throws {
    try unsafe bytes.withUnsafeBytes { try unsafe write($0) }
  }

  package func write(_ bytes: ArraySlice<UInt8>) throws {
    try unsafe bytes.withUnsafeBytes { try unsafe write($0) }
  }

  private func write(_ bytes: UnsafeRawBufferPointer) throws {
    guard let last = unsafe bytes.last, let first = unsafe bytes.first else { return }
    let lineEnd = UInt8(ascii: "\n")
    if let neighbour, neighbour.past.isInsideLine.load(ordering: .relaxed),
      neighbour.place == place
    {
      if first != lineEnd { try check(unsafe [lineEnd].withUnsafeBytes { unsafe deliver($0) }) }
      neighbour.past.isInsideLine.store(last != lineEnd, ordering: .relaxed)
    }
    past.isBegun.store(true, ordering: .relaxed)
    past.isInsideLine.store(last != lineEnd, ordering: .relaxed)
    try unsafe check(deliver(bytes))
  }

  /// The error number, or 0.
  private func deliver(_ bytes: UnsafeRawBufferPointer) -> Int32 {
    guard place.mayBlock else { return unsafe writeAll(bytes, to: descriptor) }
    var offset = 0
    while offset < bytes.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[offset...])
      let count =
        unsafe past.mustWait.load(ordering: .relaxed) ? writeWhenReady(rest) : writeNow(rest)
      if count >= 0 {
        offset += count
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        let error = BlockedWriters.wait(for: descriptor)
        guard error == 0 else { return error }
      case EOPNOTSUPP, ENOSYS, EINVAL:
        guard !past.mustWait.exchange(true, ordering: .relaxed) else { return errno }
      case let code: return code
      }
    }
    return 0
  }

  private func writeNow(_ bytes: UnsafeRawBufferPointer) -> Int {
    unsafe rasa_write_now(descriptor, bytes.baseAddress, bytes.count)
  }

  /// Where the kernel cannot be asked not to wait: what a pipe takes at once when it takes anything.
  private func writeWhenReady(_ bytes: UnsafeRawBufferPointer) -> Int {
    let error = BlockedWriters.wait(for: descriptor)
    guard error == 0 else {
      errno = error
      return -1
    }
    return unsafe Glibc.write(descriptor, bytes.baseAddress, min(bytes.count, 4096))
  }

  private func check(_ error: Int32) throws {
    switch error {
    case 0: return
    case EPIPE: throw OutputClosed()
    case ECANCELED: throw CancellationError()
    // The error of a terminal whose window was closed.
    case EIO where place.isDevice: throw OutputClosed()
    default:
      throw Failure(.storage, systemError: error, cannot: "write to", name)
    }
  }

  /// Whether so many bytes can be written without waiting for the reader. That is unknown for terminals
  /// and sockets.
  package func takesNow(_ count: Int) -> Bool {
    guard place.mayBlock, !place.isDevice || place.isTerminal else { return true }
    return place.isPipe && count <= Int(PIPE_BUF) && BlockedWriters.isFree(descriptor)
  }

  /// Whether a person may be reading along.
  package var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Whether it is a regular file: what is written is kept, and nobody reads along.
  package var isRegularFile: Bool {
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  private var name: String {
    switch descriptor {
    case STDOUT_FILENO: "standard output"
    case STDERR_FILENO: "standard error"
    default: "descriptor \(descriptor)"
    }
  }
}

/// The state of an output.
private final class Past: Sendable {
  let isBegun = Atomic<Bool>(false)
  let isInsideLine = Atomic<Bool>(false)
  /// Whether non-blocking writes are impossible here.
  let mustWait = Atomic<Bool>(false)
}

/// What a descriptor refers to.
private struct Place: Sendable, Equatable {
  private var device: UInt64 = 0
  private var node: UInt64 = 0
  private(set) var isDevice = false
  private(set) var isPipe = false
  /// The only device that a person can stop (Ctrl-S).
  private(set) var isTerminal = false
  /// Whether a write may have to wait for a reader.
  private(set) var mayBlock = false

  init(_ descriptor: Int32) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return }
    device = UInt64(status.st_dev)
    node = UInt64(status.st_ino)
    let kind = status.st_mode & S_IFMT
    isDevice = kind == S_IFCHR
    isTerminal = isDevice && isatty(descriptor) == 1
    isPipe = kind == S_IFIFO
    mayBlock = kind == S_IFIFO || kind == S_IFSOCK || kind == S_IFCHR
  }
}
