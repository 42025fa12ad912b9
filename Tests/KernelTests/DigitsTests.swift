import Kernel
import Testing

@Suite("Digits of numbers") struct DigitsTests {
    @Test(
        "they are the standard library's",
        arguments: [0, 1, 9, 10, 99, 100, 1023, 65535, 1_000_000, 9_999_999_999, UInt64.max - 1, UInt64.max])
    func digits(number: UInt64) { #expect(decimalDigits(number) == String(number)) }
}
