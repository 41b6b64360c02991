package media

import "math/bits"

// A scanPart is a component in a scan, and its tables.
type scanPart struct {
	*component
	index  int
	dc, ac *huffman
	mean   int // of the block before
}

// A band is what a progressive scan brings: frequencies from first to last,
// in the order of the file, from bit low on. It is the first to bring them, or
// it refines them by the one bit.
type band struct {
	first, last int
	low         int
	refines     bool
}

// scan reads a scan: number of components [1], of each its identifier [1] and
// tables [4 bits each], then first and last frequency [1 each], high and low
// bit [4 bits each]; then what it holds.
func (d *jpegLuma) scan(b []byte) error {
	if d.comps == 0 || len(b) < 1 {
		return errOrdinary
	}
	n := int(b[0])
	if n < 1 || n > d.comps || len(b) != 4+2*n || !d.begin() {
		return errOrdinary
	}
	var all [3]scanPart
	parts, blocks := all[:n], 0
	for i := range parts {
		p := &parts[i]
		dc, ac := b[2+2*i]>>4, b[2+2*i]&15
		if dc > 3 || ac > 3 || d.baseline && (dc > 1 || ac > 1) {
			return errOrdinary
		}
		p.dc, p.ac = &d.dc[dc], &d.ac[ac]
		for j := range d.comps {
			if d.comp[j].id == int(b[1+2*i]) {
				p.component, p.index = &d.comp[j], j
			}
		}
		if p.component == nil {
			return errOrdinary
		}
		for j := range i {
			if parts[j].index == p.index {
				return errOrdinary
			}
		}
		blocks += p.h * p.v
		d.seen = d.seen || p.index == 0
	}
	// In a scan of one component a unit is one block. image/jpeg counts units
	// of several here too, so that it loses step at the restarts.
	if d.comps > 1 && blocks > 10 || n == 1 && blocks > 1 && d.restarts > 0 {
		return errOrdinary
	}
	d.restart()
	if !d.progressive {
		for _, p := range parts {
			if !p.dc.set || !p.ac.set {
				return errOrdinary
			}
		}
		return d.units(parts, d.sequentialBlock)
	}
	last := b[1+2*n:]
	s := &band{first: int(last[0]), last: int(last[1]), low: int(last[2] & 15), refines: last[2]>>4 != 0}
	if s.first == 0 && s.last != 0 || s.first > s.last || s.last > 63 || s.first != 0 && n != 1 ||
		s.refines && int(last[2]>>4) != s.low+1 || s.low > 13 {
		return errOrdinary
	}
	for _, p := range parts {
		if s.first == 0 && !s.refines && !p.dc.set || s.first > 0 && !p.ac.set {
			return errOrdinary
		}
		if p.masks == nil {
			p.masks = make([]uint64, p.across*p.down)
			if p.index == 0 {
				p.blocks = make([]block, p.across*p.down)
			}
		}
	}
	of := func(p *scanPart, bx, by int) bool { return d.meanBlock(s, p, by*p.across+bx) }
	if s.first > 0 {
		of = func(p *scanPart, bx, by int) bool { return d.bandBlock(s, p, by*p.across+bx) }
	}
	return d.units(parts, of)
}

// units calls of for each block of a scan, in its order, and looks after
// restarts. of reports whether the block was as it should be.
func (d *jpegLuma) units(parts []scanPart, of func(p *scanPart, bx, by int) bool) error {
	left, next := d.restarts, byte(markerRST0)
	restart := func() bool {
		if left--; left != 0 {
			return true
		}
		if d.run != 0 || !d.settled() || d.pos+2 > len(d.data) || d.data[d.pos] != 0xff || d.data[d.pos+1] != next {
			return false
		}
		d.pos += 2
		d.restart()
		for i := range parts {
			parts[i].mean = 0
		}
		left, next = d.restarts, markerRST0|(next+1)&7
		return true
	}
	across, down := d.unitsX, d.unitsY
	alone := len(parts) == 1
	if alone {
		// The blocks that lie within the picture, as image/jpeg finds them.
		across = min(parts[0].across, (d.width+7)/8)
		down = min(parts[0].down, (d.height+7)/8)
	}
	for uy := range down {
		if err := d.ctx.Err(); err != nil {
			return err
		}
		for ux := range across {
			if alone {
				if !of(&parts[0], ux, uy) {
					return errOrdinary
				}
			} else {
				for i := range parts {
					p := &parts[i]
					for v := range p.v {
						for h := range p.h {
							if !of(p, ux*p.h+h, uy*p.v+v) {
								return errOrdinary
							}
						}
					}
				}
			}
			last := ux == across-1 && uy == down-1
			if d.restarts > 0 && !last && !restart() {
				return errOrdinary
			}
		}
		if d.overrun() {
			return errOrdinary
		}
	}
	if d.run != 0 || !d.settled() {
		return errOrdinary
	}
	return nil
}

// difference reads the difference between the means of two blocks.
func (d *jpegLuma) difference(h *huffman) (int, bool) {
	size, ok := d.symbol(h)
	if !ok || size > 15 {
		return 0, false
	}
	return extend(d.bits(int(size)), int(size)), true
}

// sequentialBlock reads all of a block.
func (d *jpegLuma) sequentialBlock(p *scanPart, bx, by int) bool {
	diff, ok := d.difference(p.dc)
	if !ok {
		return false
	}
	if p.index != 0 {
		return d.skipBlock(p.ac)
	}
	p.mean += diff
	if p.mean != int(int16(p.mean)) {
		return false
	}
	b := &d.block
	b[0] = int16(p.mean)
	mean, ok := d.fillBlock(b, p.ac)
	if ok {
		d.put(b, mean, bx, by, &d.factors[p.table])
	}
	return ok
}

// fillBlock reads the frequencies of a block but its mean, and reports whether
// there were none.
func (d *jpegLuma) fillBlock(b *block, h *huffman) (none, ok bool) {
	acc, n := d.acc, d.n
	k := 1
	for k < 64 {
		if n < enough {
			acc, n = d.more(acc, n)
		}
		e := h.values[acc>>(64-lookBits)]
		drop := e & 255
		if e>>16 != 0 {
			acc <<= drop & 63
			n -= int(drop)
			k += int(e >> 8 & 255)
			if k > 63 {
				return false, false
			}
			b[natural[k]&63] = int16(e >> 16)
			k++
			continue
		}
		symbol := uint8(e >> 8)
		if e == 0 {
			var length int
			if symbol, length = h.long(acc); length == 0 {
				return false, false
			}
			drop = uint32(length)
		}
		acc <<= drop & 63
		n -= int(drop)
		run, size := int(symbol>>4), int(symbol&15)
		if size == 0 {
			if run == 15 {
				k += 16
				continue
			}
			if run != 0 {
				return false, false
			}
			break
		}
		k += run
		if k > 63 {
			return false, false
		}
		v := extend(int(acc>>1>>(63-size)), size)
		acc <<= size & 63
		n -= size
		b[natural[k]&63] = int16(v)
		k++
	}
	d.acc, d.n = acc, n
	return k == 1, true
}

// skipBlock goes over the frequencies of a block but its mean.
func (d *jpegLuma) skipBlock(h *huffman) bool {
	acc, n := d.acc, d.n
	k := 1
	for k < 64 {
		if n < enough {
			acc, n = d.more(acc, n)
		}
		e := int(h.skips[acc>>(64-lookBits)])
		if e != 0 && k+e>>8 <= 63 {
			k += e >> 8
			acc <<= e & 63
			n -= e & 63
			if e&endOfBlock != 0 {
				break
			}
			continue
		}
		// One by one: the block ends within what can be told, or the code is
		// long.
		d.acc, d.n = acc, n
		symbol, ok := d.symbol(h)
		run, size := int(symbol>>4), int(symbol&15)
		if !ok || size == 0 && run != 15 && run != 0 || size != 0 && k+run > 63 {
			return false
		}
		d.bits(size)
		acc, n = d.acc, d.n
		if symbol == 0 {
			break
		}
		k += run + 1
	}
	d.acc, d.n = acc, n
	return true
}

// meanBlock reads the mean of a block of a progressive JPEG, or one bit of it.
func (d *jpegLuma) meanBlock(s *band, p *scanPart, at int) bool {
	if s.refines {
		bit := d.bits(1)
		if p.index == 0 {
			p.blocks[at][0] |= int16(bit << s.low)
		}
		return true
	}
	diff, ok := d.difference(p.dc)
	if !ok {
		return false
	}
	if p.index == 0 {
		p.mean += diff
		v := p.mean << s.low
		if v != int(int16(v)) {
			return false
		}
		p.blocks[at][0] = int16(v)
	}
	return true
}

// bandBlock reads the other frequencies of a block of a progressive JPEG.
func (d *jpegLuma) bandBlock(s *band, p *scanPart, at int) bool {
	var b *block
	if p.index == 0 {
		b = &p.blocks[at]
	}
	switch {
	case s.refines:
		return d.refineBlock(s, p, &p.masks[at], b)
	case d.run > 0:
		d.run--
		return true
	}
	mask, h, last := p.masks[at], p.ac, s.last
	acc, n := d.acc, d.n
	for k := s.first; k <= last; k++ {
		if n < enough {
			acc, n = d.more(acc, n)
		}
		e := h.values[acc>>(64-lookBits)]
		drop, v, run := e&255, int(int16(e>>16)), int(e>>8&255)
		if v == 0 {
			symbol := uint8(run)
			if e == 0 {
				var length int
				if symbol, length = h.long(acc); length == 0 {
					return false
				}
				drop = uint32(length)
			}
			acc <<= drop & 63
			n -= int(drop)
			run, drop = int(symbol>>4), uint32(symbol&15)
			if drop == 0 {
				if run == 15 {
					k += 15
					continue
				}
				d.run = 1<<run + int(acc>>1>>(63-run)) - 1
				acc <<= run & 63
				n -= run
				break
			}
			v = extend(int(acc>>1>>(63-drop&63)), int(drop))
		}
		acc <<= drop & 63
		n -= int(drop)
		if k += run; k > last {
			return false
		}
		mask |= 1 << (k & 63)
		if b != nil {
			if v <<= s.low; v != int(int16(v)) {
				return false
			}
			b[natural[k&63]&63] = int16(v)
		}
	}
	d.acc, d.n = acc, n
	p.masks[at] = mask
	return true
}

// refineBlock reads one more bit of the frequencies that are not 0, and those
// that are no longer.
func (d *jpegLuma) refineBlock(s *band, p *scanPart, mask *uint64, b *block) bool {
	k := s.first
	if d.run == 0 {
		for ; k <= s.last; k++ {
			symbol, ok := d.symbol(p.ac)
			if !ok {
				return false
			}
			run, sign := int(symbol>>4), 0
			switch symbol & 15 {
			case 0:
				if run != 15 {
					d.run = 1<<run + d.bits(run)
				}
			case 1:
				sign = 2*d.bits(1) - 1
			default:
				return false
			}
			if d.run > 0 {
				break
			}
			// Over run zeros, to the next.
			for ; ; k++ {
				if k > s.last {
					return false
				}
				if *mask>>k&1 == 0 {
					if run == 0 {
						break
					}
					run--
				} else if d.bits(1) != 0 && !b.grow(k, s.low) {
					return false
				}
			}
			if sign != 0 {
				*mask |= 1 << k
				if b != nil {
					b[natural[k]] = int16(sign << s.low)
				}
			}
		}
	}
	if d.run > 0 {
		d.run--
		within := *mask &^ (1<<k - 1) << (63 - s.last) >> (63 - s.last)
		for ; within != 0; within &= within - 1 {
			if d.bits(1) != 0 && !b.grow(bits.TrailingZeros64(within), s.low) {
				return false
			}
		}
	}
	return true
}

// grow moves frequency k, which is not 0, away from 0 by bit low. It reports
// whether there is room. A nil block has no frequencies.
func (b *block) grow(k, low int) bool {
	if b == nil {
		return true
	}
	v := int(b[natural[k]])
	if v < 0 {
		v -= 1 << low
	} else {
		v += 1 << low
	}
	b[natural[k]] = int16(v)
	return v == int(int16(v))
}
