package chart

import (
	"image/color"
	"strconv"
)

// Palette tells stacks apart, also for eyes that do not tell red from green. Red
// itself is kept for what failed its checks. The page uses the same colours in the
// same order.
var Palette = []string{"#2f6fde", "#e0762c", "#189a76", "#a553c4", "#12a5c9", "#8a7a1f", "#d9568f", "#6b7280"}

func paletteColor(i int) color.NRGBA { return hexColor(Palette[i%len(Palette)]) }

func hexColor(hex string) color.NRGBA {
	v, _ := strconv.ParseUint(hex[1:], 16, 24)
	return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}
}

var (
	ink   = hexColor("#1d2433")
	muted = hexColor("#5b6577")
	faint = hexColor("#e3e7ee")
	alarm = hexColor("#c02626")
)
