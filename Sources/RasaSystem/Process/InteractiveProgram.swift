import CSystem
import Glibc
package import RasaCore

/// A program that takes over the terminal, such as an editor.
package enum InteractiveProgram {
  /// The variables that such a program gets: the terminal, the desktop, the language, paths, and how an
  /// editor finds its open window (`code --wait` uses `VSCODE_*`). No provider's key is among them.
  package static let allowedVariables = [
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "COLORTERM", "TERMINFO*", "LANG",
    "LANGUAGE", "LC_*", "TZ", "TMPDIR", "PWD", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_*",
    "DBUS_SESSION_BUS_ADDRESS", "VISUAL", "EDITOR", "VIM*", "NVIM*", "EMACS*", "NANO*",
    "ALTERNATE_EDITOR", "HELIX_*", "KAK*", "MICRO_*", "VSCODE_*", "TERM_PROGRAM*", "TERMINAL_*",
    "GIO_*", "GTK_*", "QT_*", "WSL*", "WT_SESSION", "SSH_TTY", "SSH_CONNECTION", "TMUX*", "STY",
    "ZELLIJ*", "KITTY_*", "WEZTERM_*", "SNAP*", "NIX_*", "LD_LIBRARY_PATH",
  ]

  /// Runs it on the terminal and waits until it ends; returns its exit code, 128 or more if a signal
  /// ended it.
  ///
  /// It shares this process's group, so that Ctrl-Z stops both and `fg` brings both back; Ctrl-C
  /// meanwhile goes to the program alone. If the task is cancelled, the program is asked to end.
  package static func run(
    _ arguments: [String], terminal: Int32, environment: Environment
  ) async throws(Failure) -> Int32 {
    let child = RunningChild()
    let outcome = await withTaskCancellationHandler {
      await onOwnThread {
        Result { () throws(Failure) in
          try spawnAndWait(arguments, terminal: terminal, environment: environment, child)
        }
      }
    } onCancel: {
      child.end()
    }
    return try outcome.get()
  }

  private static func spawnAndWait(
    _ arguments: [String], terminal: Int32, environment: Environment, _ running: RunningChild
  ) throws(Failure) -> Int32 {
    guard let program = arguments.first else { return 0 }
    var previousInterrupt = sigaction()
    var previousQuit = sigaction()
    _ = unsafe rasa_signal_ignore(SIGINT, &previousInterrupt)
    _ = unsafe rasa_signal_ignore(SIGQUIT, &previousQuit)
    defer {
      _ = unsafe rasa_signal_pipe_detach(SIGINT, &previousInterrupt)
      _ = unsafe rasa_signal_pipe_detach(SIGQUIT, &previousQuit)
    }
    var child: pid_t = 0
    let code = spawn(arguments, terminal, environment.allowing(allowedVariables), &child)
    guard code == 0 else {
      throw Failure(.run, systemError: code, cannot: "start", program)
    }
    running.begin(child)
    // Not reaped before signals are off: its number could then be another process's.
    var information = unsafe siginfo_t()
    while unsafe waitid(P_PID, id_t(child), &information, WEXITED | WNOWAIT) < 0 {
      guard errno == EINTR else { break }
    }
    running.finish()
    var status: Int32 = 0
    while unsafe waitpid(child, &status, 0) < 0 {
      guard errno == EINTR else {
        throw Failure(.run, systemError: lastError(), cannot: "wait for", program)
      }
    }
    let signal = status & 0x7F
    return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
  }

  private static func spawn(
    _ arguments: [String], _ terminal: Int32, _ environment: Environment, _ child: inout pid_t
  ) -> Int32 {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    for standard in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
      unsafe posix_spawn_file_actions_adddup2(&actions, terminal, standard)
    }
    unsafe rasa_spawn_close_from(&actions, STDERR_FILENO + 1)

    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var all = sigset_t()
    var none = sigset_t()
    unsafe sigfillset(&all)
    unsafe sigemptyset(&none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))

    let variables = environment.variables.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }
    return unsafe withCStrings(arguments) { arguments in
      unsafe withCStrings(variables) { variables in
        guard let program = unsafe arguments[0] else { return EINVAL }
        return unsafe posix_spawnp(&child, program, &actions, &attributes, arguments, variables)
      }
    }
  }
}

/// A list of C strings: pointers, the last of them null.
private func withCStrings<Result>(
  _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  var pointers = unsafe strings.map { unsafe strdup($0) } + [nil]
  defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
  return unsafe body(&pointers)
}

/// The running program, so that it can be ended.
private final class RunningChild: Sendable {
  private let state = Locked<(process: pid_t, isToEnd: Bool)>((0, false))

  func begin(_ process: pid_t) {
    let isToEnd = state.withLock { state in
      state.process = process
      return state.isToEnd
    }
    if isToEnd { end() }
  }

  func finish() { state.withLock { $0.process = 0 } }

  func end() {
    state.withLock { state in
      state.isToEnd = true
      guard state.process > 0 else { return }
      // The shell that started the editor waits for it: both have to end.
      for child in Self.children(of: state.process) { kill(child, SIGTERM) }
      kill(state.process, SIGTERM)
    }
  }

  private static func children(of process: pid_t) -> [pid_t] {
    let path = "/proc/\(process)/task/\(process)/children"
    guard let bytes = try? FileSystem.readIfPresent(path, limit: 1 << 16) else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: " ").compactMap { pid_t($0) }
  }
}
