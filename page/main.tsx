import './page.css';
import { render } from 'preact';
import { connect } from './live-store.ts';
import { Shell } from './shell.tsx';

const root = document.getElementById('page');
if (root !== null) {
  root.replaceChildren();
  render(<Shell />, root);
  void connect();
}
