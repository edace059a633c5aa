import CSystem
import Glibc

/// One accepted socket: the incoming request and the outgoing answer.
final class Connection {
  enum Sending { case all, blocked, failed }

  let descriptor: Int32
  /// Counted from 0; distinguishes this connection from a later one with the same descriptor.
  let serial: Int
  var reader = RequestReader()
  var playback: Playback?
  var requestIndex = -1
  /// What to do after the output has been sent.
  var progress = Playback.Progress.more
  var output: [UInt8] = []
  private var sent = 0
  var isWatchingOutput = false

  init(descriptor: Int32, serial: Int) {
    self.descriptor = descriptor
    self.serial = serial
  }

  /// Writes the output to the socket, and counts the bytes that it took.
  func send() -> (Sending, bytes: Int) {
    let before = sent
    while sent < output.count {
      let count = unsafe output.withUnsafeBytes { bytes in
        unsafe CSystem.send(
          descriptor, bytes.baseAddress?.advanced(by: sent), bytes.count - sent,
          Int32(MSG_NOSIGNAL))
      }
      if count >= 0 {
        sent += count
      } else if errno == EAGAIN {
        return (.blocked, sent - before)
      } else if errno != EINTR {
        return (.failed, sent - before)
      }
    }
    let count = sent - before
    output.removeAll(keepingCapacity: true)
    sent = 0
    return (.all, count)
  }

  /// Reads what is available; false if the peer has closed its side.
  func receive(into buffer: UnsafeMutableRawBufferPointer) -> Bool {
    while true {
      let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
      if count > 0 {
        unsafe reader.append(buffer[..<count])
      } else if count < 0, errno == EINTR {
        continue
      } else {
        return count < 0 && errno == EAGAIN
      }
    }
  }

  func close(reset: Bool = false) {
    if reset {
      var linger = CSystem.linger(l_onoff: 1, l_linger: 0)
      unsafe setsockopt(
        descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }
    CSystem.close(descriptor)
  }
}
