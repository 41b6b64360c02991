package law

import "rempart"

// CategoryByCode returns the category of the harmonised templates with this
// code, such as "3f". Of the codes that no case here falls in, such as 4a, it
// says no.
func CategoryByCode(code string) (Category, bool) {
	for _, c := range Europe().CategoryList {
		if c.Code == code {
			return c.Category, true
		}
	}
	return Category{}, false
}

// NoticeCategory returns the category under which a platform counts a notice
// that names code: the same, for a minor one of part 9 whatever the code says ([rempart.CategoryFor]), and "not
// specified" for what is not known.
func NoticeCategory(code string, minor bool) Category {
	c, ok := CategoryByCode(rempart.CategoryFor(code, minor))
	switch {
	case minor && !ok:
		c, _ = CategoryByCode("9b")
	case !ok:
		c, _ = CategoryByCode("17")
	}
	return c
}
