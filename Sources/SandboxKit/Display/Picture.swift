import CPNG
import Glibc
import Kernel

/// Pixels of a screen, row by row from the top, three bytes each: red, green, blue.
struct Picture: Equatable {
    let width: Int
    let height: Int
    var pixels: [UInt8]

    /// A black one.
    init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        pixels = [UInt8](repeating: 0, count: width * height * 3)
    }

    /// A PNG file (png_image_write_to_memory of libpng(3)): eight bits a channel, no alpha.
    func png() throws(SystemError) -> [UInt8] {
        var image = png_image()
        image.version = UInt32(PNG_IMAGE_VERSION)
        (image.width, image.height) = (UInt32(width), UInt32(height))
        image.format = UInt32(PNG_FORMAT_FLAG_COLOR)
        // It is taken while an application waits to be saved.
        image.flags = UInt32(PNG_IMAGE_FLAG_FAST)
        defer { png_image_free(&image) }
        let largest = png_largest_file(image)
        var count = largest
        var isWritten: Int32 = 0
        let file = [UInt8](unsafeUninitializedCapacity: largest) { buffer, used in
            isWritten = png_image_write_to_memory(&image, buffer.baseAddress, &count, 0, pixels, 0, nil)
            used = isWritten == 0 ? 0 : count
        }
        if isWritten == 0 { throw SystemError("write a picture of \(width) by \(height) pixels as PNG", code: ENOMEM) }
        return file
    }
}
