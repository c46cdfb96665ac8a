"""A picture to test with: a harbour in the evening, in Scribble's sixteen colours."""

from __future__ import annotations

from itertools import pairwise
from math import cos, sin

from PIL import Image, ImageDraw

from tests.flows.scribble_double import (
    BLACK,
    BLUE,
    BROWN,
    COLOURS,
    CYAN,
    GREEN,
    GREY,
    INDIGO,
    LIGHT_GREY,
    LIME,
    ORANGE,
    PEACH,
    PINK,
    PURPLE,
    RED,
    WHITE,
    YELLOW,
)

WIDTH, HEIGHT, HORIZON = 320, 200, 116
BAYER = (0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5)


def harbour() -> Image.Image:
    image = Image.new("P", (WIDTH, HEIGHT))
    image.putpalette(bytes.fromhex(COLOURS))
    draw = ImageDraw.Draw(image)
    _fade(image, 0, HORIZON, [INDIGO, PURPLE, PINK, PEACH, YELLOW])
    _sky(draw)
    _fade(image, HORIZON, HEIGHT, [CYAN, BLUE, BLUE, INDIGO])
    _sea(draw)
    _lighthouse(draw)
    _boat(draw)
    _shore(draw)
    _cat(draw)
    return image


def _fade(image: Image.Image, top: int, bottom: int, colours: list[int]) -> None:
    """Bands of colours that pass into each other by dots, as old games had it."""
    for y in range(top, bottom):
        at = (y - top) / (bottom - top) * (len(colours) - 1)
        for x in range(WIDTH):
            further = at % 1 > (BAYER[y % 4 * 4 + x % 4] + 0.5) / 16
            image.putpixel((x, y), colours[min(int(at) + further, len(colours) - 1)])


def _sky(draw: ImageDraw.ImageDraw) -> None:
    for x, y in ((14, 9), (52, 21), (88, 7), (121, 17), (203, 12), (240, 25), (271, 6), (301, 19), (170, 5)):
        draw.point((x, y), WHITE)
    for x, y in ((70, 13), (255, 14)):
        draw.line((x - 2, y, x + 2, y), WHITE)
        draw.line((x, y - 2, x, y + 2), WHITE)
    draw.ellipse((126, 74, 178, 126), ORANGE)
    draw.ellipse((130, 78, 174, 122), YELLOW)
    for across, down, size in ((60, 52, 1.0), (226, 52, 1.2), (120, 36, 0.7)):
        for dx, dy, r in ((-16, 3, 7), (-6, -2, 10), (7, 0, 9), (17, 4, 6)):
            x, y, wide, high = across + dx * size, down + dy * size, r * size, r * size * 0.7
            draw.ellipse((x - wide, y - high, x + wide, y + high), WHITE)
        draw.rectangle((across - 24 * size, down + 4 * size, across + 24 * size, down + 6 * size), LIGHT_GREY)
        draw.rectangle((across - 20 * size, down + 6 * size, across + 21 * size, down + 8 * size), PINK)
    for x, y in ((40, 70), (52, 64), (64, 72), (204, 76)):
        draw.line([(x - 4, y - 2), (x, y), (x + 4, y - 2)], BLACK)
    draw.polygon([(0, 116), (0, 96), (22, 88), (44, 97), (63, 92), (92, 106), (112, 116)], PURPLE)
    draw.polygon([(0, 116), (0, 104), (30, 99), (60, 108), (82, 116)], INDIGO)


def _sea(draw: ImageDraw.ImageDraw) -> None:
    for number, y in enumerate(range(HORIZON + 1, 160, 3)):
        half = 26 - number * 1.3 + number % 3 * 4
        draw.line((152 - half, y, 152 + half - number % 2 * 7, y), YELLOW if number < 9 else ORANGE)
        draw.line((152 - half / 3, y + 1, 152 + half / 2, y + 1), PEACH)
    for x, y, length in (
        *((20, 128, 9), (50, 140, 12), (230, 145, 10), (260, 149, 14), (210, 158, 9)),
        *((70, 160, 12), (120, 170, 10), (196, 173, 12), (28, 146, 8)),
    ):
        draw.line((x, y, x + length, y), WHITE)
        draw.point([(x - 1, y + 1), (x + length + 1, y + 1)], WHITE)


def _lighthouse(draw: ImageDraw.ImageDraw) -> None:
    rock = [(236, 132), (246, 118), (262, 113), (286, 112), (306, 119), (319, 128), (319, 140), (262, 139)]
    draw.polygon(rock, BLACK)
    draw.polygon([(248, 124), (262, 116), (284, 115), (300, 122), (280, 126)], GREY)
    for number in range(6):
        y, half = 62 + number * 9, 7 + number * 0.8
        corners = [(275 - half, y), (275 + half, y), (275.8 + half, y + 9), (274.2 - half, y + 9)]
        draw.polygon(corners, WHITE if number % 2 else RED)
    draw.rectangle((264, 58, 286, 61), BLACK)
    draw.rectangle((269, 47, 281, 57), YELLOW)
    draw.rectangle((274, 47, 276, 57), WHITE)
    draw.polygon([(266, 47), (284, 47), (275, 38)], RED)
    draw.line((275, 34, 275, 38), BLACK)
    draw.rectangle((272, 104, 278, 115), BROWN)
    draw.rectangle((273, 84, 277, 90), INDIGO)


def _boat(draw: ImageDraw.ImageDraw) -> None:
    draw.polygon([(82, 128), (122, 128), (114, 137), (90, 137)], BROWN)
    draw.line((84, 130, 120, 130), WHITE)
    draw.line((101, 92, 101, 128), BLACK)
    draw.polygon([(103, 94), (103, 125), (121, 125)], WHITE)
    draw.polygon([(99, 98), (99, 125), (85, 125)], PEACH)
    draw.polygon([(101, 92), (101, 97), (108, 94)], RED)
    for x in range(88, 118, 5):
        draw.line((x, 139, x + 3, 139), PEACH)


def _height(x: float) -> float:
    return 180 - 14 * cos((x - 40) / 62) - 3 * sin(x / 19)


def _shore(draw: ImageDraw.ImageDraw) -> None:
    hill = [(x, _height(x)) for x in range(0, WIDTH + 4, 4)]
    draw.polygon([(0, HEIGHT - 1), *hill, (WIDTH - 1, HEIGHT - 1)], GREEN)
    for x in range(0, WIDTH, 3):
        y = _height(x)
        draw.line((x, y, x + x % 5 - 2, y - 2 - x * 7 % 4), LIME if x % 2 == 0 else GREEN)
    for number in range(90):
        x = (number * 47 + 11) % 318
        y = _height(x) + 6 + number * 29 % 22
        draw.line((x, y, x + 1, y - 3), LIME)
    places = (18, 60, 76, 104, 128, 150, 236, 262, 282, 300, 88, 312)
    for number, (x, other) in enumerate(pairwise((*places, 40))):
        y = min(194.0, _height(x) + 8 + (x + other) % 12)
        colour = (PINK, RED, PURPLE, WHITE, YELLOW)[number % 5]
        ring = ((-2, 0), (2, 0), (0, -2), (0, 2), (-1, -1), (1, 1), (1, -1), (-1, 1))
        draw.line((x, y + 3, x, y + 5), LIME)
        draw.point([(x + dx, y + dy) for dx, dy in ring], colour)
        draw.point((x, y), ORANGE if colour == YELLOW else YELLOW)


def _cat(draw: ImageDraw.ImageDraw) -> None:
    draw.ellipse((27, 150, 47, 174), BLACK)
    draw.ellipse((29, 138, 45, 153), BLACK)
    draw.polygon([(29, 144), (30, 133), (36, 139)], BLACK)
    draw.polygon([(45, 144), (44, 133), (38, 139)], BLACK)
    draw.ellipse((23, 164, 51, 177), BLACK)
    draw.line([(50, 173), (57, 170), (60, 163), (57, 157)], BLACK, width=3)
