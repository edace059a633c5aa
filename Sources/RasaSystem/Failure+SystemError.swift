import Glibc
package import RasaCore

extension Failure {
  /// A failed system call in words: `cannot read /etc/x: permission denied`.
  package init(_ kind: Kind, systemError code: Int32, cannot action: String, _ path: String) {
    self.init(
      kind, "cannot \(action) \(path): \(systemErrorText(code))", suggestion: systemErrorMend(code))
  }
}

package func systemErrorText(_ code: Int32) -> String {
  switch code {
  case ENOENT: "no such file or folder"
  case EACCES, EPERM: "permission denied"
  case EISDIR: "it is a folder"
  case ENOTDIR: "a part of the path is not a folder"
  case EEXIST: "it already exists"
  case ELOOP: "symbolic links are not followed here, or they form a loop"
  case ENOSPC: "no space left on the disk"
  case EDQUOT: "the disk quota is used up"
  case EROFS: "the file system is read-only"
  case EIO: "the disk reported an input/output error"
  case EMFILE, ENFILE: "too many open files"
  case ENAMETOOLONG: "the name is too long"
  case EPIPE: "the reader is gone"
  default: unsafe String(cString: strerror(code)).lowercased()
  }
}

private func systemErrorMend(_ code: Int32) -> String {
  switch code {
  case ENOENT: "check the path"
  case EACCES, EPERM: "check the owner and the mode of the file and of its folders (ls -ld)"
  case EISDIR: "name a file in it"
  case ENOSPC, EDQUOT: "free some space, then run it again; what was written before is intact"
  case EROFS: "choose a folder that can be written to, for example with RASA_HOME"
  case EIO: "check the disk (dmesg), then run it again"
  case EMFILE, ENFILE: "raise the limit (ulimit -n) or run fewer things at once"
  default: ""
  }
}
