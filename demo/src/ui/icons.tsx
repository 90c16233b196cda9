import type { JSX } from 'preact';

/** Line icons on a 24-unit grid, drawn for this page. */
function icon(paths: JSX.Element): () => JSX.Element {
  return () => (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      {paths}
    </svg>
  );
}

const slash = <path d="M4 4l16 16" />;

export const MicrophoneIcon = icon(
  <>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
  </>,
);
export const MicrophoneOffIcon = icon(
  <>
    <path d="M15 10.5V6a3 3 0 0 0-5.7-1.3M9 9v2a3 3 0 0 0 4.6 2.5M5.5 11.5a6.5 6.5 0 0 0 10.6 5M18.4 12.5l.1-1M12 18v3" />
    {slash}
  </>,
);
export const CameraIcon = icon(
  <>
    <rect x="3" y="6.5" width="12" height="11" rx="2.5" />
    <path d="M15 10.5l6-3.5v10l-6-3.5" />
  </>,
);
export const CameraOffIcon = icon(
  <>
    <path d="M6.5 6.5H5.5A2.5 2.5 0 0 0 3 9v6a2.5 2.5 0 0 0 2.5 2.5h7a2.5 2.5 0 0 0 2-1M10.5 6.5h2A2.5 2.5 0 0 1 15 9v2l6-4v10l-2.5-1.6" />
    {slash}
  </>,
);
export const ScreenIcon = icon(
  <>
    <rect x="3" y="4.5" width="18" height="12.5" rx="2.5" />
    <path d="M9 20.5h6M12 13.5v-6M9 10l3-3 3 3" />
  </>,
);
export const ChatIcon = icon(
  <path d="M4.5 5h15a1.5 1.5 0 0 1 1.5 1.5v9a1.5 1.5 0 0 1-1.5 1.5H11l-5 4v-4H4.5A1.5 1.5 0 0 1 3 15.5v-9A1.5 1.5 0 0 1 4.5 5z" />,
);
export const StatisticsIcon = icon(<path d="M4 20V11M9.3 20V4M14.7 20v-6M20 20V8" />);
export const LeaveIcon = icon(
  <path d="M3.5 14.200c-.6-2.4 2.6-5.2 8.5-5.200s9.1 2.8 8.5 5.200l-.3 1.300a1.2 1.2 0 0 1-1.5.9l-3-.8a1.2 1.2 0 0 1-.9-1.200v-1.600a12 12 0 0 0-5.6 0v1.600a1.2 1.2 0 0 1-.9 1.200l-3 .8a1.2 1.2 0 0 1-1.5-.9z" />,
);
export const LinkIcon = icon(
  <path d="M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.700l-1.2 1.200M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.700l1.2-1.2" />,
);
export const CloseIcon = icon(<path d="M6 6l12 12M18 6L6 18" />);
export const ChevronIcon = icon(<path d="M7 14.5l5-5 5 5" />);
export const SendIcon = icon(<path d="M4 12l16-7.5-5 15.5-3.5-6.5z" />);
export const PeopleIcon = icon(
  <>
    <circle cx="9" cy="8.5" r="3.5" />
    <path d="M3 19.5c.4-3.5 2.8-5.5 6-5.5s5.6 2 6 5.5M16 5.5a3.5 3.5 0 0 1 0 6.5M18 14.5c1.8.8 2.8 2.5 3 5" />
  </>,
);
export const CheckIcon = icon(<path d="M5 12.5l4.5 4.5L19 7.5" />);
