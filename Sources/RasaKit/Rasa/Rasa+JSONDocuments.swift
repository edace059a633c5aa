import RasaCore

extension Rasa.JSON {
  /// The whole number; nil for anything else, also for `3.0`, which `int` takes for one.
  public var integer: Int64? {
    if case .int(let number) = value { number } else { nil }
  }
}

extension RasaError {
  /// The error as every JSON document of the program `rasa` has it: `kind`, `message`, `where`,
  /// `suggestion`, `details` and the exit code.
  public var json: Rasa.JSON { Rasa.JSON(failure.value) }
}
