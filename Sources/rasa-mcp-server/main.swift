import Glibc
import RasaCore
import RasaSystem
import RasaTestKit

// A scripted MCP server for tests: over standard input and output, or over HTTP with `--http`. Without a script it has
// the tools `echo`, `add` and `slow`, in both eras of the protocol. What a script can say is in `MCPScript`.

let usage = """
  usage: rasa-mcp-server [SCRIPT.json | --script JSON] [--http [PORT]]
  """

func fail(_ message: String) -> Never {
  let bytes = Array((message + "\n").utf8)
  _ = unsafe write(STDERR_FILENO, bytes, bytes.count)
  exit(2)
}

func say(_ text: String) {
  let bytes = Array((text + "\n").utf8)
  _ = unsafe write(STDOUT_FILENO, bytes, bytes.count)
}

var script = MCPScript()
var port: UInt16?
var arguments = CommandLine.arguments.dropFirst()
do {
  while let argument = arguments.popFirst() {
    switch argument {
    case "--help":
      say(usage)
      exit(0)
    case "--script": script = try MCPScript(json: Array((arguments.popFirst() ?? "").utf8))
    case "--http": port = arguments.popFirst().flatMap { UInt16($0) } ?? 0
    case let option where option.hasPrefix("-"): fail("unknown option \(option)\n\(usage)")
    case let path: script = try MCPScript(json: FileSystem.read(path, limit: 64 << 20))
    }
  }
  guard let port else { exit(serveMCP(script)) }
  let server = try ScriptedMCPServer.start(script, port: port)
  say("listening on \(server.url)")
  var byte: UInt8 = 0
  while unsafe read(STDIN_FILENO, &byte, 1) > 0 || errno == EINTR {}
  server.stop()
} catch {
  fail("\(error)")
}
