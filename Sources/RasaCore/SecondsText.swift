/// Seconds for people: whole from ten on, with hundredths below.
package func secondsText(_ seconds: Double) -> String {
  let rounded = seconds < 10 ? (seconds * 100).rounded() / 100 : seconds.rounded()
  return Int64(exactly: rounded).map { String($0) } ?? "\(rounded)"
}
