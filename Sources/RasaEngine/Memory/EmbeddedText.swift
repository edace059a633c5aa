extension MemoryItem {
  /// What a vector of the item is made of: with the name of who said it, so that the vector is near to questions that name
  /// the one, as ranking by words sees to it, too. The date stays with the words: models tell dates from each other badly.
  package var embeddedText: String {
    guard let name = speaker?.opening(Self.mostOfName), !name.isBlank else { return text }
    return "\(MemoryText.line(name)): \(text)"
  }

  private static let mostOfName = 80
}
