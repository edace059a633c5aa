import Glibc
import RasaCore
import RasaTestKit

// The scripted provider as a process, for benchmarks and demonstrations. Serves until its standard
// input ends or SIGTERM comes.

let usage = """
  usage: rasa-provider [--port N] [--tokens N] [--delay-ms N] [--token-delay-ms N]
                       [--headers-delay-ms N]

  Speaks OpenAI chat completions (/v1/chat/completions), Anthropic messages (/v1/messages), Gemini
  (/v1beta/models/MODEL:streamGenerateContent) and Ollama (/api/chat), and lists models as each does.

  A model named t<tokens>-d<ms per token>[-h<ms before headers>][-r<reasoning tokens>][-stamp]
  overrides all of these for its request: t100000-d0, t100-d20-stamp.
  """

func say(_ text: String, on descriptor: Int32 = STDOUT_FILENO) {
  let bytes = Array((text + "\n").utf8)
  _ = unsafe write(descriptor, bytes, bytes.count)
}

func fail(_ message: String) -> Never {
  say(message, on: STDERR_FILENO)
  exit(2)
}

var port: UInt16 = 0
var script = Script(.words(50))
var arguments = CommandLine.arguments.dropFirst()
while let option = arguments.popFirst() {
  if option == "--help" {
    say(usage)
    exit(0)
  }
  guard let number = arguments.popFirst().flatMap({ Int($0) }), (0...10_000_000).contains(number)
  else { fail("\(option) wants a number\n\(usage)") }
  switch option {
  case "--port":
    guard let valid = UInt16(exactly: number) else { fail("there is no port \(number)") }
    port = valid
  case "--tokens": script.answer = .words(number)
  case "--token-delay-ms": script.tokenDelay = .milliseconds(number)
  case "--delay-ms", "--headers-delay-ms": script.headersDelay = .milliseconds(number)
  default: fail("unknown option \(option)\n\(usage)")
  }
}
// A model whose name tells its own script is left to that.
script.matches = { request in request.model.flatMap(Script.init(modelName:)) == nil }

do {
  let provider = try ScriptedProvider.start([script], port: port)
  say("listening on \(provider.baseURL)")
  var byte: UInt8 = 0
  while unsafe read(STDIN_FILENO, &byte, 1) > 0 || errno == EINTR {}
  provider.stop()
} catch {
  fail("\(error)")
}
