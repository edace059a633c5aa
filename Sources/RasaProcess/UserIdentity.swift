import Glibc

/// Who this process runs as.
package enum UserIdentity {
  package static var ofProcess: (id: UInt32, group: UInt32) { (getuid(), getgid()) }
}
