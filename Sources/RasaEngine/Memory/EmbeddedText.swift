extension MemoryItem {
  /// What a vector of the item is made of: with the name of who said it, as ranking by words knows it, too. More of what
  /// answers questions about several turns is found with it. With the date before the text less of everything was found:
  /// dates that are asked about are compared as such (`AskedPeriod`).
  package var embeddedText: String {
    guard let name = speaker?.opening(Self.mostOfName), !name.isBlank else { return text }
    return "\(MemoryText.line(name)): \(text)"
  }

  private static let mostOfName = 80
}
