/// Runs tasks on the loop's thread, between what libcurl has to do: what a response brings is then worked on where it
/// arrived, and no other thread has to be woken for it.
///
/// For one run in a process of its own. Whatever works long in such a task, or blocks, keeps every stream waiting.
final class LoopExecutor: TaskExecutor {
  private let mailbox: Mailbox

  init(_ mailbox: Mailbox) { self.mailbox = mailbox }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    if !mailbox.post(job) { Self.runElsewhere(job) }
  }

  func run(_ jobs: [UnownedJob]) {
    for job in jobs { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
  }

  /// Where there is no loop: it ended, or could not start.
  static func runElsewhere(_ job: UnownedJob) {
    globalConcurrentExecutor.enqueue(ExecutorJob(job))
  }
}
