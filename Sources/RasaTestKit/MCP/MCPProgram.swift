import CSystem
import Glibc
import RasaCore
import RasaDocuments

/// A scripted MCP server over this process's standard input and output. Returns its exit code.
package func serveMCP(_ script: MCPScript) -> Int32 {
  let start = script.value["start"]
  if script.value["ignore_term"].bool == true { signal(SIGTERM, SIG_IGN) }
  signal(SIGPIPE, SIG_IGN)
  if let text = start["stderr"].string { writeAll(Array(text.utf8), to: STDERR_FILENO) }
  if let milliseconds = start["delay_ms"].int { usleep(UInt32(clamping: milliseconds * 1_000)) }
  if let text = start["stdout"].string { writeAll(Array(text.utf8), to: STDOUT_FILENO) }
  if let code = start["exit"].int { return Int32(clamping: code) }

  var engine = MCPScriptEngine(script)
  var buffer: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 65_536)
  var isOpen = true
  while true {
    let now = monotonicNanoseconds()
    if let code = perform(engine.advance(now)) { return code }
    var list = [pollfd(fd: isOpen ? STDIN_FILENO : -1, events: Int16(POLLIN), revents: 0)]
    let wait: Int32
    if let due = engine.nextDue {
      wait = due <= now ? 0 : Int32(clamping: (due - now - 1) / 1_000_000 + 1)
    } else {
      guard isOpen || script.value["ignore_eof"].bool == true else { return 0 }
      wait = -1
    }
    guard unsafe poll(&list, 1, wait) > 0 else { continue }
    let count = unsafe read(STDIN_FILENO, &chunk, chunk.count)
    guard count > 0 else {
      if count < 0, errno == EINTR { continue }
      isOpen = false
      if script.value["ignore_eof"].bool != true { return 0 }
      continue
    }
    buffer += chunk[..<count]
    while let end = buffer.firstIndex(of: 10) {
      let line = Array(buffer[..<end])
      buffer.removeFirst(end + 1)
      if let log = script.value["log"].string {
        appendLine(String(decoding: line, as: UTF8.self), to: log)
      }
      guard let message = try? JSON.parse(line) else { continue }
      if let code = perform(engine.receive(message, on: 0, now: monotonicNanoseconds())) {
        return code
      }
    }
  }
}

/// The exit code, if it is to end.
private func perform(_ outputs: MCPScriptEngine.Outputs) -> Int32? {
  for (_, output) in outputs {
    switch output {
    case .message(let message, _), .notice(let message):
      writeAll(message.jsonBytes(escaping: .onlyNeeded) + [10], to: STDOUT_FILENO)
    case .raw(let bytes): writeAll(bytes, to: STDOUT_FILENO)
    case .flood(let total, let piece):
      var left = total
      while left > 0, writeAll(piece, to: STDOUT_FILENO) { left -= piece.count }
    case .standardError(let text): writeAll(Array(text.utf8), to: STDERR_FILENO)
    case .exit(let code): return code
    case .freeze: while true { pause() }
    case .hangUp, .breakOff: close(STDOUT_FILENO)
    case .cutNotices: break
    }
  }
  return nil
}

@discardableResult
private func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
    if count > 0 {
      rest = rest.dropFirst(count)
    } else if errno != EINTR {
      return false
    }
  }
  return true
}

/// A whole line at once, so that several processes can share the file.
func appendLine(_ line: String, to path: String) {
  let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
  guard descriptor >= 0 else { return }
  writeAll(Array((line + "\n").utf8), to: descriptor)
  close(descriptor)
}
