import CSystem
import Glibc

/// Ends the process at once, without cleaning up: everything that must be kept is stored before.
package func leaveNow(_ code: Int32) -> Never { _exit(code) }

/// The user of this machine as whom this process works.
package enum ProcessUser {
  package static var number: UInt32 { getuid() }
}

/// The processor time of this process.
package enum ProcessTime {
  package static func microseconds() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1_000_000 + Double(time.tv_nsec) / 1000
  }
}

/// The peak resident memory of this process.
package enum ProcessMemory {
  package static func largestKilobytes() -> Int {
    var usage = rusage()
    unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss
  }
}
