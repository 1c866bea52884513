package lp

import (
	"math"
	"sort"
)

// newEta is the elementary matrix that turns column a into the unit column at
// a position.
func newEta(a []float64, out int) eta {
	e := eta{row: int32(out), pivot: 1 / a[out]}
	for i, v := range a {
		if i != out && math.Abs(v) > 1e-14 {
			e.rest = append(e.rest, entry{int32(i), -v * e.pivot})
		}
	}
	return e
}

// ftran solves B v' = v.
func (s *simplex) ftran(v []float64) {
	for k := range s.etas {
		e := &s.etas[k]
		t := v[e.row]
		if t > 0 || t < 0 {
			for _, x := range e.rest {
				v[x.row] += x.value * t
			}
			v[e.row] = t * e.pivot
		}
	}
}

// btran solves v' B = v.
func (s *simplex) btran(v []float64) {
	for k := len(s.etas) - 1; k >= 0; k-- {
		e := &s.etas[k]
		t := v[e.row] * e.pivot
		for _, x := range e.rest {
			t += x.value * v[x.row]
		}
		v[e.row] = t
	}
}

// scatter adds a variable's column to v. Rows read A x - z = 0.
func (s *simplex) scatter(j int, v []float64) {
	if j >= s.n {
		v[j-s.n]--
		return
	}
	for _, e := range s.columns[j] {
		v[e.row] += e.value
	}
}

// refactor makes the product anew from the basic variables: activities first,
// then columns that have one row left (so the triangular part stays sparse),
// then the rest by length. A column that has become dependent leaves the
// basis. It then computes the basic values afresh.
func (s *simplex) refactor() {
	s.etas = s.etas[:0]
	vars := append([]int32(nil), s.basic...)
	free := make([]bool, s.m)
	for i := range free {
		free[i] = true
	}
	for _, j := range vars {
		s.at[j] = -1
	}
	for _, j := range s.order(vars) {
		clear(s.work)
		s.scatter(int(j), s.work)
		s.ftran(s.work)
		row, size := -1, 1e-10
		for i, v := range s.work {
			if free[i] && math.Abs(v) > size {
				row, size = i, math.Abs(v)
			}
		}
		if row < 0 {
			s.x[j] = s.rest(int(j))
			continue
		}
		free[row] = false
		s.basic[row], s.at[j] = j, int32(row)
		if int(j) < s.n || row != int(j)-s.n {
			s.etas = append(s.etas, newEta(s.work, row))
		} else {
			s.etas = append(s.etas, eta{row: int32(row), pivot: -1})
		}
	}
	for i := range free {
		if free[i] { // the activity of the row takes the place
			j := s.n + i
			if s.at[j] >= 0 {
				j = s.spare()
			}
			clear(s.work)
			s.scatter(j, s.work)
			s.ftran(s.work)
			s.basic[i], s.at[j] = int32(j), int32(i)
			s.etas = append(s.etas, newEta(s.work, i))
		}
	}
	s.values()
}

// spare finds an activity outside the basis.
func (s *simplex) spare() int {
	for j := s.n; j < s.n+s.m; j++ {
		if s.at[j] < 0 {
			return j
		}
	}
	return s.n
}

// order sorts the basic variables for refactor.
func (s *simplex) order(vars []int32) []int32 {
	var out, columns []int32
	taken := make([]bool, s.m)
	for _, j := range vars {
		if int(j) >= s.n {
			out = append(out, j)
			taken[int(j)-s.n] = true
		} else {
			columns = append(columns, j)
		}
	}
	rows := make([][]int32, s.m)
	left := make(map[int32]int, len(columns))
	for _, j := range columns {
		for _, e := range s.columns[j] {
			if !taken[e.row] {
				left[j]++
				rows[e.row] = append(rows[e.row], j)
			}
		}
	}
	var single []int32
	done := make(map[int32]bool, len(columns))
	for _, j := range columns {
		if left[j] == 1 {
			single = append(single, j)
		}
	}
	for len(single) > 0 {
		j := single[len(single)-1]
		single = single[:len(single)-1]
		if done[j] || left[j] != 1 {
			continue
		}
		done[j] = true
		out = append(out, j)
		for _, e := range s.columns[j] {
			if taken[e.row] {
				continue
			}
			taken[e.row] = true
			for _, k := range rows[e.row] {
				if left[k]--; left[k] == 1 && !done[k] {
					single = append(single, k)
				}
			}
		}
	}
	rest := len(out)
	for _, j := range columns {
		if !done[j] {
			out = append(out, j)
		}
	}
	tail := out[rest:]
	sort.SliceStable(tail, func(a, b int) bool { return len(s.columns[tail[a]]) < len(s.columns[tail[b]]) })
	return out
}

// values computes the basic variables from the others: B x_B = - N x_N.
func (s *simplex) values() {
	v := make([]float64, s.m)
	for j := range s.x {
		if s.at[j] >= 0 {
			continue
		}
		x := s.x[j]
		if !(x > 0 || x < 0) {
			continue
		}
		if j >= s.n {
			v[j-s.n] += x
			continue
		}
		for _, e := range s.columns[j] {
			v[e.row] -= e.value * x
		}
	}
	s.ftran(v)
	for i, j := range s.basic {
		s.x[j] = v[i]
	}
}
