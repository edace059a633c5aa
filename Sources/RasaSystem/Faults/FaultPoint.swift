/// A named place where a process may die: just before something is durable, and just after.
///
/// Test builds can be made to die at any of them, which proves that a run resumes as if nothing had
/// happened. A release build contains nothing of it, not even the name.
#if RASA_FAULTS
  package func faultPoint(_ name: StaticString) {
    FaultPlan.ofProcess?.reach(name.description)
  }
#else
  @inlinable @inline(__always)
  package func faultPoint(_ name: StaticString) {}
#endif
