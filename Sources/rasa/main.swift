import RasaCLI
import RasaSystem

// Off the main actor: everything that is called from it would come back to its queue after every
// wait, and each way there and back wakes a thread.
let code = await Task.detached {
  await Program.main(Array(CommandLine.arguments.dropFirst()), .ofProcess())
}.value
leaveNow(code)
