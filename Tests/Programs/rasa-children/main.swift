// A program that starts others, for tests that kill it or count what it leaves behind.
//
//   rasa-children hold COMMAND…    starts the command, prints its process ID, and waits
//   rasa-children repeat N COMMAND…  starts it N times, one after the other, and prints the descriptors and the children
//                                  that it has more than before
import Glibc

import RasaProcess
import RasaSystem

func say(_ text: String) {
  let bytes = Array((text + "\n").utf8)
  _ = unsafe write(STDOUT_FILENO, bytes, bytes.count)
}

func count(_ folder: String) -> Int { (try? FileSystem.list(folder).count) ?? -1 }

func children() -> Int {
  let bytes =
    (try? FileSystem.readIfPresent("/proc/self/task/\(getpid())/children", limit: 1 << 16)) ?? nil
  return (bytes ?? []).split(separator: UInt8(ascii: " ")).count
}

func runOnce(_ command: ChildCommand) async throws {
  let child = try ChildProcess.start(command)
  child.closeInput()
  while try await child.read() != nil {}
  _ = await child.wait()
}

let arguments = Array(CommandLine.arguments.dropFirst())
let environment = Environment.ofProcess().variables
if arguments.first == "hold" {
  let child = try ChildProcess.start(
    ChildCommand(Array(arguments.dropFirst()), environment: environment))
  say("\(child.id)")
  while let bytes = try await child.read() { _ = unsafe write(STDOUT_FILENO, bytes, bytes.count) }
  _ = await child.wait()
} else if arguments.first == "repeat", let times = Int(arguments[1]) {
  let command = ChildCommand(Array(arguments.dropFirst(2)), environment: environment)
  // The task pool opens descriptors of its own when it first needs another thread.
  for _ in 0..<50 { try await runOnce(command) }
  let (descriptors, processes) = (count("/proc/self/fd"), children())
  for _ in 0..<times { try await runOnce(command) }
  say("\(count("/proc/self/fd") - descriptors) \(children() - processes)")
}
