// A program with an operator in Swift, for tests that kill it anywhere around the operator's effect. It takes the
// arguments of `rasa run -p PERSONA INPUT` and `rasa resume RUN`, and prints the answer as those do with `--json`.
import Glibc
import RasaKit
import RasaSystem

/// The effect: one more line in the file `notes`, where a test counts how often it happened.
func noteDown(_ call: Rasa.Operator.Call) throws(RasaError) -> Rasa.JSON {
  let word = call.inputs["word"].text
  if word == "wait for ever" {
    // Not even a cancelled task ends this.
    while true { sleep(1_000) }
  }
  let descriptor = unsafe open("notes", O_WRONLY | O_APPEND | O_CREAT, 0o600)
  let line = Array("\(call.id) \(word)\n".utf8)
  faultPoint("tool.before")
  guard unsafe write(descriptor, line, line.count) == line.count else {
    throw RasaError(.run, "`notes` cannot be written")
  }
  faultPoint("tool.after")
  close(descriptor)
  return ["noted": Rasa.JSON(word)]
}

func say(_ text: String, on descriptor: Int32 = STDOUT_FILENO) {
  let bytes = Array((text + "\n").utf8)
  _ = unsafe write(descriptor, bytes, bytes.count)
}

/// The run as the arguments ask for it.
func begin(_ rasa: Rasa, _ arguments: [String]) async throws(RasaError) -> Rasa.Run {
  try await rasa.register(
    Rasa.Operator(
      name: "note_down", reads: ["word"], writes: ["noted": .any], perform: { try noteDown($0) }))
  if arguments.first == "resume" { return try await rasa.resume(arguments[1]) }
  var options = Rasa.RunOptions()
  options.session = "s"
  if let place = arguments.firstIndex(of: "--max-seconds") {
    options.maxSeconds = Int(arguments[place + 1])
  }
  return try await rasa.run(persona: arguments[2], input: arguments[3], options: options)
}

/// The exit code.
func perform(_ arguments: [String]) async -> Int32 {
  do throws(RasaError) {
    let rasa = try Rasa()
    let result = try await begin(rasa, arguments).result()
    await rasa.close()
    guard result.pending.isEmpty else { return 7 }
    say(#"{"output": \#(result.json)}"#)
    return 0
  } catch {
    say("\(error.code): \(error.message)", on: STDERR_FILENO)
    return error.code == .timeout ? 124 : 1
  }
}

exit(await perform(Array(CommandLine.arguments.dropFirst())))
