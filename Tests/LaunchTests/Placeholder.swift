import Testing
@testable import Launch
