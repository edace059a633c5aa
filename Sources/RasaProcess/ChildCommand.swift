/// A program to start, without a shell.
package struct ChildCommand: Sendable, Hashable {
  /// The program, looked up on the `PATH` of `environment` if it has no `/`, and its arguments.
  package var arguments: [String]
  /// All variables it gets.
  package var environment: [String: String]
  package var folder: String?
  package var limits: [ChildLimit] = [.coreSize(0)]
  /// Open descriptors of this process that become the child's 3, 4, …; they stay their owner's to close.
  package var inherited: [Int32] = []
  /// Whether the program only watches over the real one, as bwrap does: what is to end is then asked to by a signal
  /// to what it started, as it would end everything at once itself.
  package var isSupervisor = false

  package init(_ arguments: [String], environment: [String: String] = [:], folder: String? = nil) {
    self.arguments = arguments
    self.environment = environment
    self.folder = folder
  }
}

/// The most that a child and what it starts may have of something. It never raises a limit.
package enum ChildLimit: Sendable, Hashable {
  case coreSize(UInt64)
  case fileSize(UInt64)
  case openFiles(UInt64)
  case memory(UInt64)
}

/// How a program ended.
package enum ExitStatus: Sendable, Hashable, CustomStringConvertible {
  case exited(Int32)
  case signalled(Int32)

  package var isSuccess: Bool { self == .exited(0) }

  /// As a shell has it: 128 and more for signals.
  package var code: Int32 {
    switch self {
    case .exited(let code): code
    case .signalled(let number): 128 + number
    }
  }

  package var description: String {
    switch self {
    case .exited(let code): "exit code \(code)"
    case .signalled(let number): Self.names[number].map { "signal \($0)" } ?? "signal \(number)"
    }
  }

  private static let names: [Int32: String] = [
    1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
    9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU",
    25: "SIGXFSZ", 31: "SIGSYS",
  ]
}
