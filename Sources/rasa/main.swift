import RasaCLI
import RasaProcess
import RasaSystem

SandboxEntry.enterIfAsked()
// Before anything else opens a file or starts a thread.
if let failure = ProcessStart.prepare() {
  leaveNow(Program.refuse(failure, Array(CommandLine.arguments.dropFirst()), .ofProcess()))
}
// Off the main actor: everything that is called from it would come back to its queue after every
// wait, and each way there and back wakes a thread.
Task.detached {
  leaveNow(await Program.main(Array(CommandLine.arguments.dropFirst()), .ofProcess()))
}
waitForEnd()
